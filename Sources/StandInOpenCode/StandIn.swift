import Foundation
import PosixSupport

/// A scripted `opencode`: both generations, faithful to what the real ones print, without a model.
package enum StandIn {
  /// Plays one invocation.
  /// - Parameters:
  ///   - arguments: without the program's name
  ///   - path: of `stand-in.json`; it need not exist; sessions are kept beside it
  /// - Returns: the exit code
  package static func main(arguments: [String], configuration path: String) -> Int32 {
    OwnProcess.settleSignals()
    let console = Console(input: Descriptor(raw: 0), output: Descriptor(raw: 1), errors: Descriptor(raw: 2))
    return run(arguments, configuration: path, environment: OwnProcess.environment, console: console, ownsProcess: true)
  }

  /// - Parameter ownsProcess: signals may be handled
  static func run(_ arguments: [String], configuration path: String, environment: [String: String], console: Console, ownsProcess: Bool) -> Int32 {
    do {
      let folder = (path as NSString).deletingLastPathComponent
      let invocation = Invocation(
        script: try Script(path: path), store: try SessionStore(folder: folder), service: Service(folder: folder), environment: environment,
        console: console, ownsProcess: ownsProcess)
      return try invocation.run(arguments)
    } catch let error as PosixError where error.operation == "write" {
      // Nobody reads any more.
      return 1
    } catch {
      console.complain("stand-in: \(error)\n")
      return 1
    }
  }
}
