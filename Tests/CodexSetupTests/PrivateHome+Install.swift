import TestSupport

@testable import CodexSetup

extension PrivateHome {
  func install(_ arguments: String...) -> (status: Int32, text: String) {
    var lines: [String] = []
    let status = InstallCommand.run(arguments: arguments, environment: environment, executable: worker) { lines.append($0) }
    return (status, lines.joined(separator: "\n"))
  }

  func uninstall(_ arguments: String...) -> (status: Int32, text: String) {
    var lines: [String] = []
    let status = UninstallCommand.run(arguments: arguments, environment: environment) { lines.append($0) }
    return (status, lines.joined(separator: "\n"))
  }
}
