import PosixSupport

/// `fold LOG`: hidden; folds a whole log, for the benchmark.
enum FoldCommand {
  static func run(_ arguments: [String]) -> Int32 {
    guard arguments.count == 1 else { return CommandLineTool.wrong("fold takes a log") }
    do {
      let measure = try FoldMeasure.fold(arguments[0], line: .line1, declaredCommands: ["make test"])
      Terminal.line("\(Int(measure.megabytesPerSecond)) MB/s, peak memory \(OwnProcess.peakMemory >> 20) MiB")
      return CommandLineTool.ExitCode.success
    } catch {
      Terminal.error("\(error)")
      return CommandLineTool.ExitCode.failure
    }
  }
}
