import Foundation
import JSON
import MCP
import OpenCode
import PosixSupport
import StandInOpenCode

/// The models that OpenCode listed a moment ago: asking takes it seconds.
actor ModelCache {
  struct Key: Hashable, Sendable {
    let folder: String?
    let provider: String?
    let verbose: Bool
  }

  /// Seconds that an answer is used again.
  static let lifetime = 60.0

  private let access: OpenCodeAccess
  private var known: [Key: (list: ModelList, at: Double)] = [:]

  init(_ access: OpenCodeAccess) { self.access = access }

  nonisolated func workspace(of context: CallContext) async throws -> String? { try await access.manager.workspace(of: context) }

  /// - Returns: the list, and how many seconds old it is; nil: just asked
  /// - Throws: `ToolError`
  func models(_ key: Key, refresh: Bool) async throws -> (list: ModelList, age: Double?) {
    if !refresh, let entry = known[key], Monotonic.now - entry.at < ModelCache.lifetime { return (entry.list, Monotonic.now - entry.at) }
    var query = ModelsQuery()
    (query.provider, query.verbose, query.refresh) = (key.provider, key.verbose, refresh)
    let list = try await access.ask(in: key.folder) { [query] client, deadline in
      do {
        return try client.models(query, deadline: deadline)
      } catch let error as OpenCodeCommandError where error.isProviderNotFound {
        throw ToolError.badArgument("OpenCode has no provider \"\(key.provider ?? "")\".", hint: "Without \"provider\" all models are listed.")
      }
    }
    known[key] = (list, Monotonic.now)
    return (list, nil)
  }
}

/// `opencode_models`.
struct ModelsTool: Tool {
  let models: ModelCache

  let name = "opencode_models"
  let description = "Models that OpenCode can use here, as provider/model; verbose: limits, prices, variants."
  let annotations = ToolAnnotations.reads
  let parameters = [
    Parameter("provider", .string), Parameter("verbose", .bool), Parameter("refresh", .bool, "Ask the providers anew"), Parameter("cursor", .string),
  ]

  func call(_ arguments: Arguments, in context: CallContext) async throws -> ToolReply {
    let verbose = arguments.bool("verbose") ?? false
    let key = ModelCache.Key(folder: try await models.workspace(of: context), provider: arguments.string("provider"), verbose: verbose)
    let (list, age) = try await models.models(key, refresh: arguments.bool("refresh") ?? false)
    let offset = try arguments.cursor(in: list.models.count) ?? 0
    var structured: JSONObject = ["count": JSONValue(list.models.count)]
    if let age {
      structured["cached"] = true
      structured["ageSeconds"] = JSONValue(Int(age))
    }
    if !list.isKnown { structured["unknown"] = "OpenCode listed nothing, which this version also does when it has models" }
    let rows = list.models.map { verbose ? ModelsTool.row($0) : .string($0.id) }
    ReplyBound.add(rows, as: "models", from: offset, bytes: ReplyBound.limit - 400, to: &structured)
    return ToolReply(text: "\(list.models.count) models.", structured: structured)
  }

  private static func row(_ model: Model) -> JSONValue {
    var row: JSONObject = ["id": .string(model.id)]
    row["name"] = model.name.map { .string($0) }
    row["context"] = model.contextLimit.map { JSONValue($0) }
    row["output"] = model.outputLimit.map { JSONValue($0) }
    if let prices = model.prices, !prices.isUnknown {
      var object: JSONObject = ["input": .number(prices.input), "output": .number(prices.output)]
      object["cacheRead"] = prices.cacheRead.map { .number($0) }
      object["cacheWrite"] = prices.cacheWrite.map { .number($0) }
      row["usdPerMillionTokens"] = .object(object)
    }
    if !model.variants.isEmpty { row["variants"] = JSONValue(strings: model.variants) }
    return .object(row)
  }
}

/// `opencode_check_model`.
struct CheckModelTool: Tool {
  let models: ModelCache
  let access: OpenCodeAccess

  let name = "opencode_check_model"
  let description = "Is this model available to OpenCode? If not: the closest ids, and whether its provider is signed in."
  let annotations = ToolAnnotations.reads
  let parameters = [
    Parameter("model", .string, "provider/model", required: true), Parameter("provider", .string), Parameter("refresh", .bool),
  ]

  func call(_ arguments: Arguments, in context: CallContext) async throws -> ToolReply {
    var wanted = arguments.string("model") ?? ""
    let provider = arguments.string("provider")
    if let provider, !wanted.hasPrefix(provider + "/") { wanted = provider + "/" + wanted }
    let variant = wanted.lastIndex(of: "#").map { String(wanted[wanted.index(after: $0)...]) }
    if let hash = wanted.lastIndex(of: "#") { wanted = String(wanted[..<hash]) }
    guard wanted.contains("/"), !wanted.hasPrefix("/"), !wanted.hasSuffix("/") else {
      throw ToolError.badArgument("\"model\" is \"\(wanted.prefix(100))\".", hint: "It must be provider/model; opencode_models lists them.")
    }
    // All of them: a near miss may be another provider's. Details only when a variant is asked about.
    let workspace = try await models.workspace(of: context)
    let key = ModelCache.Key(folder: workspace, provider: nil, verbose: variant != nil)
    let deadline = Deadline.after(OpenCodeAccess.seconds)
    let (list, age) = try await models.models(key, refresh: arguments.bool("refresh") ?? false)
    let found = list.models.first { $0.id == wanted }
    var structured: JSONObject = ["model": .string(wanted)]
    if age != nil { structured["cached"] = true }
    guard list.isKnown else {
      structured["unknown"] = "OpenCode listed nothing, which this version also does when it has models"
      return ToolReply(text: "It isn't known whether \(wanted) is available.", structured: structured)
    }
    structured["available"] = .bool(found != nil)
    if let found {
      if let variant {
        structured["variant"] = .string(variant)
        structured["variantAvailable"] = .bool(found.variants.contains(variant))
        if !found.variants.contains(variant) { structured["variants"] = JSONValue(strings: found.variants) }
      }
      return ToolReply(text: "\(wanted) is available.", structured: structured)
    }
    let close = closestModels(to: wanted, in: list.models.map(\.id))
    structured["suggestions"] = JSONValue(strings: close)
    let name = String(wanted.prefix { $0 != "/" })
    structured["providerHasModels"] = .bool(list.models.contains { $0.provider == name })
    // Both questions together have the time of one.
    let signedIn = try? await access.ask(in: workspace, deadline: deadline) { client, deadline in
      try client.signedIn(deadline: min(.after(6), deadline)).contains { $0.matches(name) }
    }
    structured["providerSignedIn"] = signedIn.map { .bool($0) }
    let hint = close.isEmpty ? "" : " Closest: \(close.joined(separator: ", "))."
    return ToolReply(text: "\(wanted) is not available.\(hint)", structured: structured)
  }
}
