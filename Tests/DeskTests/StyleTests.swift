import Testing

@testable import Desk

@Suite struct StyleTests {
  @Test func coloursAreForTerminalsOnly() {
    #expect(Style(isTerminal: true, environment: [:]).isOn)
    #expect(Style(isTerminal: true, environment: ["NO_COLOR": ""]).isOn)
    for environment in [["NO_COLOR": "1"], ["TERM": "dumb"]] { #expect(!Style(isTerminal: true, environment: environment).isOn) }
    #expect(!Style(isTerminal: false, environment: [:]).isOn)
    #expect(Style.plain.red("x") == "x" && Style(isOn: true).red("x") == "\u{1B}[31mx\u{1B}[0m")
  }
}
