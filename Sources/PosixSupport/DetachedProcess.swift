import Foundation

/// A process that nobody is the parent of but init (or whoever reaps orphans here): it leads a session of its own, and a client that
/// ends all descendants of its server doesn't find it among them. A program is started for it: a Swift program that goes on after a
/// `fork` alone hangs sooner or later (`docs/facts/swift-platform.md`).
package enum DetachedProcess {
  /// Starts `executable` in a new session; the caller must end soon after, which is what detaches it. It inherits descriptors 0 to 2,
  /// the environment, the folder, and ignores the signals that `surviveSignals` names until it says otherwise itself.
  /// - Throws: `PosixError`
  package static func spawn(_ executable: String, _ arguments: [String]) throws {
    // Ignored signals stay ignored across an exec: there is no moment at which one of them could end the new process.
    OwnProcess.ignoreSignals()
    OwnProcess.closeInherited()
    var attributes = try SpawnAttributes(.session, keepingSignals: true)
    defer { attributes.destroy() }
    var argv = ([executable] + arguments).map { strdup($0) } + [nil]
    defer { for word in argv { free(word) } }
    var pid: pid_t = 0
    let code = posix_spawn(&pid, executable, nil, &attributes.raw, &argv, environ)
    if code != 0 { throw PosixError("posix_spawn", path: executable, code: code) }
  }
}
