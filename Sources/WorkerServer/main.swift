import Foundation
import PosixSupport

OwnProcess.surviveBrokenPipes()
exit(CommandLineTool.run(CommandLine.arguments, environment: ProcessInfo.processInfo.environment))
