import Foundation
import PosixSupport

OwnProcess.settleSignals()
exit(CommandLineTool.run(CommandLine.arguments, environment: ProcessInfo.processInfo.environment))
