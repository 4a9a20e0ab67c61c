import Foundation
import JSON
import MCP
import PosixSupport
import Runs
import Text

/// `call TOOL JSON`: one tool by hand.
enum CallCommand {
  static func run(_ arguments: [String], environment: [String: String]) -> Int32 {
    let tools = ToolList.all(RunManager(state: .standard(environment), environment: environment))
    guard let name = arguments.first else {
      for name in tools.names { Terminal.line("\(name)\n    \(tools[name]?.description ?? "")") }
      return ExitCode.success
    }
    // `status` will do for `opencode_status`.
    guard let tool = tools[name] ?? tools["opencode_" + name] else {
      Terminal.error("opencode-worker: There is no tool \"\(name.prefix(100))\". \(tools.explanation(ofUnknown: name)) `opencode-worker call` lists the tools.")
      return ExitCode.usage
    }
    guard arguments.count <= 2 else { return CommandLineTool.wrong("call takes a tool and one JSON object, in quotes") }
    var given = JSONObject()
    if arguments.count == 2 {
      do {
        guard let object = try JSONValue(parsing: Array(arguments[1].utf8)).object else {
          return CommandLineTool.wrong("the arguments must be a JSON object, such as '{\"lines\": 10}'")
        }
        given = object
      } catch {
        let hint =
          arguments[1].contains("'") && !arguments[1].contains("\"")
          ? "JSON needs double quotes: '{\"message\": \"hi\"}'" : "Write them as one JSON object, in single quotes for the shell: '{\"message\": \"hi\"}'"
        Terminal.error("opencode-worker: the arguments are not JSON: \(error). \(hint)")
        return ExitCode.usage
      }
    }
    let object = given
    return CommandLineTool.finish {
      guard let reply = try? await tool.reply(to: object, in: .byHand()) else { return ExitCode.failure }
      Terminal.json(.object(reply.structured))
      if let delivered = reply.whenDelivered { await onThread(delivered) }
      return reply.isError || reply.isAlarming ? ExitCode.failure : ExitCode.success
    }
  }
}

extension CallContext {
  /// A call from a terminal: the workspace is the folder one stands in.
  static func byHand() -> CallContext {
    var context = CallContext()
    context.workspace = FileManager.default.currentDirectoryPath
    context.isByHand = true
    return context
  }
}
