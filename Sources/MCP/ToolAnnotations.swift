import JSON

/// The hints by which Codex decides on approval and on running calls in parallel.
package enum ToolAnnotations {
  /// Reads only what is known already.
  case reads
  /// Starts OpenCode, which changes files.
  case acts

  package var json: JSONValue {
    switch self {
    case .reads: ["readOnlyHint": true, "openWorldHint": false]
    case .acts: ["readOnlyHint": false, "destructiveHint": true, "openWorldHint": true]
    }
  }
}
