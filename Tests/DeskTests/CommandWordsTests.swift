import Testing

@testable import Desk

@Suite struct CommandWordsTests {
  @Test func optionsAndWordsMayStandInAnyOrder() throws {
    let words = try CommandWords(["a", "--json", "-n", "5", "b", "--", "--c"], flags: ["--json"], values: ["-n"], most: 3)
    #expect(words.flags == ["--json"] && words.values == ["-n": "5"] && words.rest == ["a", "b", "--c"])
    #expect(try CommandWords(["-o=x"], values: ["-o"], most: 0).values == ["-o": "x"])
    #expect(try CommandWords(["-"], most: 1).rest == ["-"])
  }

  @Test(arguments: [(["--jsno"], "--json"), (["-n"], "needs a value"), (["a", "b"], "too many"), (["--x\u{1B}[31m"], "unknown option")])
  func whatIsWrongIsNamed(words: [String], says: String) {
    do {
      _ = try CommandWords(words, flags: ["--json"], values: ["-n"], most: 1)
      Issue.record("it was taken")
    } catch {
      #expect("\(error)".contains(says) && !"\(error)".contains("\u{1B}"))
    }
  }
}
