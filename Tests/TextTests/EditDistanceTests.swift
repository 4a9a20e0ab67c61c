import Testing

@testable import Text

@Suite struct EditDistanceTests {
  @Test(arguments: [
    ("permission", "permissions"), ("skipPermissions", "dangerouslySkipPermissions"), ("Model", "model"), ("mesage", "message"), ("verification", nil),
  ])
  func theClosestIsTheOneThatWasMeant(_ word: String, _ meant: String?) {
    let known = ["message", "model", "permissions", "dangerouslySkipPermissions"]
    #expect(EditDistance.closest(to: word, in: known) == meant)
  }
}
