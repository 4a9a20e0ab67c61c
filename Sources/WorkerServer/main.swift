import Foundation
import PosixSupport

if let shortage = OwnProcess.settleLimits() {
  Terminal.error("opencode-worker: \(shortage)")
  exit(ExitCode.failure)
}
OwnProcess.settleSignals()
exit(CommandLineTool.run(CommandLine.arguments, environment: OwnProcess.environment))
