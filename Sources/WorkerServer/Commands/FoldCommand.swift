import Foundation

/// `fold LOG`: hidden; folds a whole log, for the benchmark.
enum FoldCommand {
  static func run(_ arguments: [String]) -> Int32 {
    guard arguments.count == 1 else { return CommandLineTool.wrong("fold takes a log") }
    do {
      let measure = try FoldMeasure.fold(arguments[0], line: .line1, declaredCommands: ["make test"])
      var usage = rusage()
      getrusage(RUSAGE_SELF, &usage)
      Terminal.line("\(Int(measure.megabytesPerSecond)) MB/s, peak memory \(usage.ru_maxrss / 1024) MiB")
      return CommandLineTool.ExitCode.success
    } catch {
      Terminal.error("\(error)")
      return CommandLineTool.ExitCode.failure
    }
  }
}
