import Foundation
import JSON
import MCP
import OpenCode
import PosixSupport
import Text

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
    if let name = key.provider, let problem = ModelsQuery.problem(withProvider: name) {
      throw ToolError.badArgument(
        "\"provider\" is \(JSONValue.string(name).text.prefix(100)): \(problem).", hint: "It is the part of a model's id before the slash.")
    }
    var query = ModelsQuery()
    (query.provider, query.verbose, query.refresh) = (key.provider, key.verbose, refresh)
    let list = try await access.ask(in: key.folder) { [query] client, deadline in
      do {
        let list = try client.models(query, deadline: deadline)
        // 1.3.2 ends well when it doesn't know the provider, and 2.x is never asked for one.
        if let provider = key.provider, list.models.isEmpty, list.isKnown { throw ModelCache.unknown(provider, client, deadline) }
        return list
      } catch let error as OpenCodeCommandError where error.isProviderNotFound {
        throw ModelCache.unknown(key.provider ?? "", client, deadline)
      }
    }
    known[key] = (list, Monotonic.now)
    return (list, nil)
  }

  /// Names what there is instead, as far as OpenCode says so in time.
  private static func unknown(_ provider: String, _ client: OpenCodeClient, _ deadline: Deadline) -> ToolError {
    let all = deadline.left > 1 ? (try? client.models(ModelsQuery(), deadline: deadline))?.providers ?? [] : []
    let nearest = EditDistance.closest(to: provider, in: all).map { "Did you mean \"\($0)\"? " } ?? ""
    let list =
      all.isEmpty
      ? "Without \"provider\" all models are listed."
      : "It has models of: \(all.prefix(20).joined(separator: ", "))\(all.count > 20 ? " and \(all.count - 20) more" : "")."
    return ToolError.badArgument("OpenCode has no models of a provider \"\(provider)\".", hint: nearest + list)
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
    if let provider {
      if let problem = ModelsQuery.problem(withProvider: provider) {
        throw ToolError.badArgument(
          "\"provider\" is \(JSONValue.string(provider).text.prefix(100)): \(problem).", hint: "It is the part of a model's id before the slash.")
      }
      if !wanted.hasPrefix(provider + "/") { wanted = provider + "/" + wanted }
    }
    let variant = wanted.lastIndex(of: "#").map { String(wanted[wanted.index(after: $0)...]) }
    if let hash = wanted.lastIndex(of: "#") { wanted = String(wanted[..<hash]) }
    guard !wanted.hasPrefix("/"), !wanted.hasSuffix("/"), wanted.contains(where: { !$0.isWhitespace }) else {
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
    // A name without its provider is answered with whose it may be.
    guard wanted.contains("/") else {
      structured["next"] = .string(
        close.isEmpty ? "it must be provider/model: opencode_models lists them" : "it must be provider/model: take one of suggestions")
      return ToolReply(text: "\(wanted) names no provider." + (close.isEmpty ? "" : " Closest: \(close.joined(separator: ", "))."), structured: structured)
    }
    let name = String(wanted.prefix { $0 != "/" })
    structured["providerHasModels"] = .bool(list.models.contains { $0.provider == name })
    // Both questions together have the time of one.
    let told = try? await access.ask(in: workspace, deadline: deadline) { client, deadline in
      (isSignedIn: try client.signedIn(deadline: min(.after(6), deadline)).contains { $0.matches(name) }, version: client.installation.version)
    }
    structured["providerSignedIn"] = told.map { .bool($0.isSignedIn) }
    let hasModels = list.models.contains { $0.provider == name }
    structured["next"] = .string(
      !close.isEmpty
        ? "take one of suggestions"
        : told.map { !$0.isSignedIn } ?? false && !hasModels
          ? "tell the user to sign in, in a terminal: "
            + (told?.version.commandLine.signIn(name.wholeMatch(of: /[A-Za-z0-9][A-Za-z0-9._-]{0,60}/) == nil ? nil : name) ?? "")
          : "opencode_models lists what there is")
    let hint = close.isEmpty ? "" : " Closest: \(close.joined(separator: ", "))."
    return ToolReply(text: "\(wanted) is not available.\(hint)", structured: structured)
  }
}
