import Foundation
import PosixSupport

/// The python3 that is installed.
package enum Python {
  /// The interpreter itself, and not a script in its place that looks for one each time.
  private static let found: String? = {
    guard let first = ProgramFinder.locate("python3", path: ProcessInfo.processInfo.environment["PATH"], workspace: nil) else { return nil }
    let said = try? Command(first, ["-c", "import sys; print(sys.executable)"], deadline: .after(60)).run()
    let path = said?.outputText.trimmingCharacters(in: .whitespacesAndNewlines) ?? ""
    return PrivateFiles.isExecutable(path) ? path : first
  }()

  /// - Returns: nil, with a printed line that says why, where there is none
  package static func interpreter(for test: String = #function) -> String? {
    if found == nil { print("NOTICE: \(test) was skipped: there is no python3") }
    return found
  }
}
