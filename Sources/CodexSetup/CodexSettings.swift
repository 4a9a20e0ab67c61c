import Foundation
import JSON
import MCP

/// What Codex is told of this server: one place for `install`, `doctor` and the example files.
package enum CodexSettings {
  /// Of the plugin, of its server and of the `[mcp_servers]` entry.
  package static let name = "opencode-worker"

  /// Seconds after which Codex gives up a tool call.
  package static let toolTimeout = 3600
  /// Seconds after which a wait answers "still running". A minute less than `toolTimeout`: starting takes part of the call too.
  package static let waitSeconds = 3540
  /// Seconds that Codex gives the server to start.
  package static let startupTimeout = 30
  package static let waitVariable = "OPENCODE_WORKER_WAIT_SECONDS"
  /// 1: a run's end that nobody waits for begins a turn of Codex's (`install --wake`).
  package static let wakeVariable = "OPENCODE_WORKER_WAKE"
  /// Where OpenCode is; written into the server's environment when it is set at installation: there it counts also for a Codex that a desktop
  /// starts, and before what `env_vars` passes on (seen on 0.163).
  package static let openCodeVariable = "OPENCODE_BIN"
  /// Where the wake-up finds Codex's sessions; a server gets it by `env_vars` only.
  package static let homeVariable = "CODEX_HOME"

  /// Whether a wait ends before Codex gives up on it. Starting a run takes up to a few seconds before the wait.
  package static func belongTogether(wait: Int, timeout: Int) -> Bool { wait > 0 && wait + 10 <= timeout }

  /// Variables that Codex would drop and OpenCode, its providers or this server may need.
  package static let passedVariables =
    [
      "OPENCODE_BIN", "OPENCODE_CONFIG", "OPENCODE_CONFIG_DIR", "OPENCODE_CONFIG_CONTENT", "OPENCODE_PERMISSION", "OPENCODE_AUTH_CONTENT",
      "OPENCODE_API_KEY", "OPENCODE_DISABLE_AUTOUPDATE", "OPENCODE_DISABLE_MODELS_FETCH", "OPENCODE_DISABLE_LSP_DOWNLOAD",
      "OPENCODE_WORKER_STATE_DIR", "OPENCODE_WORKER_IGNORE_SANDBOX", "OPENCODE_WORKER_VERIFY", "OPENCODE_WORKER_KEEP_RUNS", "OPENCODE_WORKER_KEEP_DAYS",
      "OPENCODE_WORKER_KEEP_BYTES", "OPENCODE_WORKER_CWD", "OPENCODE_WORKER_ALLOW_FULL", "OPENCODE_WORKER_PROVIDER_SECONDS",
      "OPENCODE_WORKER_SILENCE_SECONDS", "OPENCODE_WORKER_ON_END", homeVariable,
    ]
    + ["XDG_CONFIG_HOME", "XDG_DATA_HOME", "XDG_STATE_HOME", "XDG_CACHE_HOME", "XDG_RUNTIME_DIR"]
    + [
      "ANTHROPIC_API_KEY", "OPENAI_API_KEY", "OPENROUTER_API_KEY", "GEMINI_API_KEY", "GOOGLE_GENERATIVE_AI_API_KEY", "GOOGLE_APPLICATION_CREDENTIALS",
      "GOOGLE_CLOUD_PROJECT", "GOOGLE_CLOUD_LOCATION", "VERTEX_LOCATION", "GROQ_API_KEY", "MISTRAL_API_KEY", "DEEPSEEK_API_KEY", "XAI_API_KEY",
      "MOONSHOT_API_KEY", "ZHIPU_API_KEY", "CEREBRAS_API_KEY", "TOGETHER_API_KEY", "FIREWORKS_API_KEY", "AZURE_API_KEY", "AZURE_RESOURCE_NAME",
      "AWS_PROFILE", "AWS_REGION", "AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN", "AWS_BEARER_TOKEN_BEDROCK",
      "GITHUB_TOKEN", "GH_TOKEN",
    ]
    + ["HTTP_PROXY", "HTTPS_PROXY", "NO_PROXY", "ALL_PROXY", "http_proxy", "https_proxy", "no_proxy", "all_proxy", "SSH_AUTH_SOCK"]

  /// What a shell has that OpenCode may need and a server doesn't get: names only.
  package static func notPassed(_ environment: [String: String], besides: String = "") -> [String] {
    let ours: Set = [waitVariable, wakeVariable, "OPENCODE_WORKER_STOP_HOOK"]
    return environment.keys.filter { name in
      (name.hasPrefix("OPENCODE") || name.hasSuffix("_API_KEY")) && !passedVariables.contains(name) && !ours.contains(name) && !besides.contains("\"\(name)\"")
    }.sorted()
  }

  // MARK: - The plugin

  package static let displayName = "OpenCode Worker"
  package static let summary = "Delegate coding tasks to OpenCode in the background, then review what it changed."

  /// `.codex-plugin/plugin.json`; `plugin.json` at the repository's top level is the same text.
  package static let manifest: JSONValue = [
    "name": .string(name),
    "version": .string(ServerInfo.version),
    "description": .string(summary),
    "license": "MIT",
    "keywords": ["opencode", "delegate", "background", "coding", "mcp"],
    "skills": "./skills/",
    "mcpServers": "./.mcp.json",
    "interface": [
      "displayName": .string(displayName),
      "shortDescription": .string(summary),
      "longDescription": .string(
        "Codex plans and reviews, OpenCode writes the code. A run goes on when Codex, its server or the terminal goes away; "
          + "its end is reported with the changed files, the checks that ran and the cost."),
      "developerName": .string(displayName),
      "category": "Coding",
      "capabilities": ["Read", "Write"],
      "defaultPrompt": ["Delegate this to OpenCode and review the result", "What did the last OpenCode run change?"],
    ],
  ]

  package static let binaryInPlugin = "bin/opencode-worker"

  /// `.mcp.json`. A relative command needs the `cwd`; the run's folder comes from Codex's workspace, never from there.
  package static func serverFile(_ extras: PluginFolder.Extras) -> JSONValue {
    let keys = server(command: "./" + binaryInPlugin, folder: ".", wake: extras.wake, openCode: extras.openCode)
    return ["mcpServers": .object(JSONObject([(key: name, value: .object(keys))]))]
  }

  /// The entry in a marketplace whose root is the home folder.
  package static let marketplaceEntry: JSONValue = [
    "name": .string(name),
    "source": ["source": "local", "path": "./.agents/plugins/opencode-worker"],
    "policy": ["installation": "AVAILABLE", "authentication": "ON_INSTALL"],
    "category": "Coding",
  ]

  package static let marketplaceName = "personal"

  /// `~/.agents/plugins/marketplace.json` where there was none.
  package static let newMarketplace: JSONValue = [
    "name": .string(marketplaceName), "interface": ["displayName": "Personal"], "plugins": [marketplaceEntry],
  ]

  // MARK: - The server's keys

  /// In the order in which they are written, for JSON and for TOML.
  package static func server(command: String, folder: String? = nil, wake: Bool = false, openCode: String? = nil) -> JSONObject {
    var keys = JSONObject([(key: "command", value: .string(command))])
    keys["cwd"] = folder.map { .string($0) }
    keys["startup_timeout_sec"] = JSONValue(startupTimeout)
    keys["tool_timeout_sec"] = JSONValue(toolTimeout)
    keys["supports_parallel_tool_calls"] = true
    keys["env_vars"] = JSONValue(strings: passedVariables)
    var environment = JSONObject([(key: waitVariable, value: .string(String(waitSeconds)))])
    if wake { environment[wakeVariable] = "1" }
    environment[openCodeVariable] = openCode.map { .string($0) }
    keys["env"] = .object(environment)
    return keys
  }
}

/// Why nothing was done, in words for the person at the terminal.
package struct SetupRefusal: Error, CustomStringConvertible, Equatable {
  package let description: String

  package init(_ description: String) { self.description = description }
}
