import OpenCode

extension RunRefusal {
  package init(_ error: OpenCodeCommandError) {
    if case .timedOut = error {
      self.init(code: .opencodeTimeout, message: "\(error).", hint: "Try again; `opencode-worker doctor` shows whether OpenCode answers at all.")
    } else {
      self.init(code: .opencodeFailed, message: "\(error).", hint: "Run the same command in a terminal to see more.")
    }
  }
}
