import OpenCode
import Text

extension RunSnapshot {
  /// What is done after OpenCode's end.
  package var finishing: String {
    if let check = Stored.load(CheckProgress.self, from: folder.checkProgress) { return "checking: \(check.command.oneLine(200))" }
    return "OpenCode has ended; its result is being recorded"
  }

  /// What a reviewer would miss, most important first.
  /// - Parameter now: seconds since 1970
  package func attention(now: Double) -> [Attention] {
    var list: [Attention] = (notes + remarks).map { .unrecorded($0) }
    let request = record.request
    if isForeign, !isOver {
      list.append(.notYours("not yours: another conversation started this run \(Int(record.elapsed)) s ago in \(request.cwd)"))
    }
    if request.sandboxIsReadOnly == true { list.append(.sandboxReadOnly) }
    if let review {
      // Reviews of earlier versions tell the time as a live run does.
      list += review.outcome.attention.map(\.ofEnded)
    } else if phase == .running {
      list += Outcome.liveAttention(digest: digest, now: now, quietSince: max(record.startedAt, digest.lastEventAt ?? 0))
    } else {
      list += Outcome.attention(digest: digest, now: now)
    }
    if let preset = request.permissions {
      // Without a word of why: a run from before OpenCode 2 was asked.
      let unchecked = request.presetHolds == true ? nil : "it could not be checked: rules of single agents in OpenCode's configuration may beat it"
      if let remark = request.presetRemark ?? unchecked { list.append(.preset(preset, remark)) }
    }
    list += (request.ignoredConfiguration ?? []).map { .configurationIgnored($0) }
    return list.ranked
  }
}
