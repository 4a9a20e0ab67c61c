import Foundation
import PosixSupport
import Testing

@testable import Runs

@Suite struct StoreTests {
  private func withFolder(_ body: (StateFolder) throws -> Void) throws {
    let state = StateFolder(root: NSTemporaryDirectory() + "/store-test-\(UInt64.random(in: 0 ... .max))")
    defer { try? FileManager.default.removeItem(atPath: state.root) }
    try state.create()
    try body(state)
  }

  @Test func idsAreValidAndSortByTime() {
    let moments = [0, 0.001, 0.01, 0.5, 0.999, 1, 59.9, 60, 3600, 86_400, 40_000_000].map { Date(timeIntervalSince1970: 1_795_363_200 + $0) }
    let ids = moments.map(RunID.make)
    #expect(ids.allSatisfy(RunID.isValid))
    #expect(ids == ids.sorted())
    #expect(ids[0].hasPrefix("20261122-160000-"))
  }

  @Test(arguments: ["", "..", "20261122-162803-k3f", "20261122-162803-K3F9", "20261122-162803-k3f9/..", "2026112a-162803-k3f9", "20261122-162803-k3\u{e9}"])
  func nothingElseIsAnId(text: String) { #expect(!RunID.isValid(text)) }

  @Test(arguments: [PosixSupport.ExitStatus.exited(0), .exited(255), .exited(-1), .signaled(9)])
  func anExitSurvivesTheDisk(status: PosixSupport.ExitStatus) throws {
    try withFolder { state in
      let path = state.root + "/exit"
      try ExitRecord.create(path)
      #expect(ExitRecord.read(path) == nil)
      let value = ExitRecord.Value(status: status, at: 1_795_364_081.337)
      try ExitRecord.write(value, to: path)
      #expect(ExitRecord.read(path) == value)
      #expect(try PrivateFiles.read(path).count == ExitRecord.size)
    }
  }

  @Test func aDamagedExitIsNoExit() throws {
    try withFolder { state in
      let path = state.root + "/exit"
      try ExitRecord.create(path)
      try ExitRecord.write(.init(status: .exited(0), at: 1), to: path)
      let whole = try PrivateFiles.read(path)
      for index in 0..<40 {
        var damaged = whole
        damaged[index] ^= 1
        try PrivateFiles.replace(path, with: damaged)
        #expect(ExitRecord.read(path) == nil, "byte \(index)")
      }
      for length in [0, 1, 10, 20] {
        try PrivateFiles.replace(path, with: Array(whole.prefix(length)))
        #expect(ExitRecord.read(path) == nil)
      }
    }
  }

  private func makeRun(_ state: StateFolder, at date: Date, bytes: Int = 10, finished: Bool = true) throws -> RunFolder {
    let run = state.run(RunID.make(at: date))
    try PrivateFiles.createFolder(run.path)
    try PrivateFiles.replace(run.events, with: [UInt8](repeating: 1, count: bytes))
    if finished { try PrivateFiles.replace(run.review, with: Array("{}".utf8)) }
    return run
  }

  @Test func theNewestRunsAreKeptAndTheLiveOneAlways() throws {
    try withFolder { state in
      let now = Date()
      let live = try makeRun(state, at: now.addingTimeInterval(-90 * 86_400), finished: false)
      let runs = try (0..<8).map { try makeRun(state, at: now.addingTimeInterval(-Double($0) * 60)) }
      let old = try makeRun(state, at: now.addingTimeInterval(-31 * 86_400))
      let unfinished = try makeRun(state, at: now.addingTimeInterval(-7200), finished: false)
      Retention(state: state, environment: ["OPENCODE_WORKER_KEEP_RUNS": "5"], keeping: live).apply()
      #expect(state.runFolders().map(\.id) == (runs.prefix(5) + [unfinished, live]).map(\.id))
      #expect(!PrivateFiles.exists(old.path))
    }
  }

  @Test func allOfThemTogetherHaveALimitToo() throws {
    try withFolder { state in
      let now = Date()
      let runs = try (0..<4).map { try makeRun(state, at: now.addingTimeInterval(-Double($0) * 60), bytes: 1000) }
      let one = DiskUse.bytes(below: runs[1].path)
      #expect(one > 0)
      // The live run takes no room from the others.
      Retention(state: state, environment: ["OPENCODE_WORKER_KEEP_BYTES": "\(one * 5 / 2)"], keeping: runs[0]).apply()
      #expect(state.runFolders().map(\.id) == runs.prefix(3).map(\.id))
    }
  }

  @Test func aLargeRunTakesNoOtherWithIt() throws {
    try withFolder { state in
      let now = Date()
      let runs = try (0..<5).map { try makeRun(state, at: now.addingTimeInterval(-Double($0) * 60), bytes: $0 == 2 ? 4 << 20 : 1000) }
      Retention(state: state, environment: ["OPENCODE_WORKER_KEEP_BYTES": "\(1 << 20)"], keeping: runs[0]).apply()
      #expect(state.runFolders().map(\.id) == [0, 1, 3, 4].map { runs[$0].id })
    }
  }

  @Test func sparseFilesTakeNoRoom() throws {
    try withFolder { state in
      let runs = try (0..<3).map { try makeRun(state, at: Date().addingTimeInterval(-Double($0) * 60)) }
      #expect(truncate(runs[1].events, 1 << 40) == 0)
      Retention(state: state, environment: [:], keeping: runs[0]).apply()
      #expect(state.runFolders().count == 3)
    }
  }

  @Test func ageAloneLeavesAPast() throws {
    try withFolder { state in
      let now = Date()
      let live = try makeRun(state, at: now, finished: false)
      // As after a year's pause, or with a clock that was wrong.
      let runs = try (0..<9).map { try makeRun(state, at: now.addingTimeInterval(-400 * 86_400 - Double($0) * 60)) }
      Retention(state: state, environment: [:], keeping: live).apply()
      #expect(state.runFolders().map(\.id) == ([live] + runs.prefix(4)).map(\.id))
    }
  }

  @Test func aHalfDeletedRunIsNoRun() throws {
    try withFolder { state in
      let live = try makeRun(state, at: Date(), finished: false)
      try PrivateFiles.createFolder(state.deleted + "/20200101-000000-aaaa-1/git")
      #expect(state.runFolders() == [live])
      Retention(state: state, environment: [:], keeping: live).apply()
      #expect(try FileManager.default.contentsOfDirectory(atPath: state.deleted).isEmpty)
    }
  }

  @Test func limitsThatMakeNoSenseAreNotUsed() throws {
    try withFolder { state in
      let run = try makeRun(state, at: Date())
      for nonsense in ["0", "-1", "x", "99999999999999999999"] {
        let retention = Retention(
          state: state,
          environment: ["OPENCODE_WORKER_KEEP_RUNS": nonsense, "OPENCODE_WORKER_KEEP_DAYS": nonsense, "OPENCODE_WORKER_KEEP_BYTES": nonsense], keeping: run)
        #expect((retention.runs, retention.days, retention.bytes) == (50, 30, 1 << 30))
        retention.apply()
        #expect(PrivateFiles.exists(run.path))
      }
    }
  }

  @Test func theStateFolderIsPrivateAndInOnePlace() throws {
    #expect(StateFolder.standard(["HOME": "/home/me", "XDG_STATE_HOME": "/elsewhere"]).root == "/home/me/.local/state/codex-opencode-worker")
    #expect(StateFolder.standard(["HOME": "/home/me", "OPENCODE_WORKER_STATE_DIR": "/s"]).root == "/s")
    #expect(StateFolder.standard(["HOME": "/home/me", "OPENCODE_WORKER_STATE_DIR": "relative"]).root.hasPrefix("/home/me"))
    try withFolder { state in
      for folder in [state.root, state.runs, state.staging, state.cache] {
        let mode = try FileManager.default.attributesOfItem(atPath: folder)[.posixPermissions] as? NSNumber
        #expect(mode?.intValue == 0o700)
      }
    }
  }
}
