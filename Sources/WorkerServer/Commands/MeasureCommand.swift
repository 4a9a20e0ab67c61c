import PosixSupport
import Runs
import Workspace

/// `measure log PATH`, `measure trees FOLDER`: hidden; what the benchmark can't see from outside.
enum MeasureCommand {
  static func run(_ arguments: [String], environment: [String: String]) -> Int32 {
    do {
      switch (arguments.first, arguments.count) {
      case ("log"?, 2):
        let measure = try FoldMeasure.fold(arguments[1], generation: .v1, declaredCommands: ["make test"])
        Terminal.line("\(Int(measure.megabytesPerSecond)) MB/s, peak memory \(OwnProcess.peakMemory >> 20) MiB")
      case ("trees"?, 2):
        let git = ProgramFinder.locate("git", path: environment["PATH"], workspace: arguments[1])
        let measure = try WorkspaceMeasure.run(cwd: arguments[1], git: git) {
          try PrivateFiles.replace(arguments[1] + "/measured.txt", with: Array("new\n".utf8))
        }
        Terminal.line("\(measure.record + measure.finish)")
      default: return CommandLineTool.wrong("measure is for the benchmark")
      }
      return ExitCode.success
    } catch {
      Terminal.error("\(error)")
      return ExitCode.failure
    }
  }
}
