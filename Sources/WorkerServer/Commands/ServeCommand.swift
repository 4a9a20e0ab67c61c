import Foundation
import JSONRPC
import MCP
import PosixSupport
import Runs

/// `serve`: the MCP server on stdin and stdout.
enum ServeCommand {
  static func run(environment: [String: String]) -> Int32 {
    if TerminalDevice.isTerminal(STDIN_FILENO) {
      Terminal.error(
        """
        opencode-worker \(ServerInfo.version): MCP server on stdin and stdout, one JSON message a line. End it with Ctrl-D.
        To try a tool by hand: opencode-worker call opencode_status     All commands: opencode-worker --help
        """)
    }
    let transport: StdioTransport
    do {
      transport = try StdioTransport()
    } catch {
      Terminal.error("opencode-worker: stdin or stdout is closed (\(error)); an MCP client must provide both.")
      return ExitCode.failure
    }
    return CommandLineTool.finish {
      let manager = RunManager(state: .standard(environment), environment: environment)
      let server = MCPServer(tools: .all(manager)) { transport.send($0) }
      // Nobody reads our answers any more: as good as the end of stdin.
      transport.onBroken { exit(ExitCode.success) }
      for await frame in transport.frames() { await server.receive(frame) }
      await server.drain(seconds: 0.5)
      transport.flush(seconds: 1)
      return ExitCode.success
    }
  }
}

extension ToolList {
  /// Every tool. None stops, cancels or kills a run.
  static func all(_ manager: RunManager) -> ToolList {
    let access = OpenCodeAccess(manager: manager)
    let models = ModelCache(access)
    return ToolList([
      RunAndWaitTool(manager: manager), StartTool(manager: manager), WaitTool(manager: manager), StatusTool(manager: manager),
      RunSummaryTool(manager: manager), ChangedFilesTool(manager: manager), UsageTool(manager: manager, access: access),
      LogsTool(manager: manager), RunsTool(manager: manager), ModelsTool(models: models), CheckModelTool(models: models, access: access),
      DelegationTemplateTool(),
    ])
  }
}
