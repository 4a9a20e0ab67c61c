import Testing

@testable import Desk

@Suite struct StyleTests {
  @Test func coloursAreForTerminalsOnly() {
    #expect(Style(isTerminal: true, environment: [:]).isOn)
    #expect(Style(isTerminal: true, environment: ["NO_COLOR": ""]).isOn)
    for environment in [["NO_COLOR": "1"], ["TERM": "dumb"]] { #expect(!Style(isTerminal: true, environment: environment).isOn) }
    #expect(!Style(isTerminal: false, environment: [:]).isOn)
    for (environment, isUTF8) in [
      ([:], true), (["LANG": "C"], false), (["LANG": "de_CH.UTF-8"], true), (["LANG": "C.utf8"], true), (["LANG": "C.UTF-8", "LC_ALL": "POSIX"], false),
      (["LANG": "en_US.ISO-8859-1", "LC_ALL": "", "LC_CTYPE": "UTF-8"], true),
    ] { #expect(Style.isUTF8(environment) == isUTF8, "\(environment)") }
    #expect(Style.plain.red("x") == "x" && Style(isOn: true).red("x") == "\u{1B}[31mx\u{1B}[0m")
  }
}
