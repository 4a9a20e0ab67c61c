import Testing

@testable import MCP

/// Shapes of real secrets, and what only looks like one. None of these was ever valid.
@Suite struct SecretMaskTests {
  private static let key40 = "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY"

  private static let token = "ghp_16C7e42F292c6912E7710c838347Ae178B4a"

  private static let hits: [(text: String, secret: String)] = [
    ("key sk-abcdEFGH1234567890abcd in use", "abcdEFGH1234567890abcd"),
    ("ANTHROPIC_API_KEY=sk-ant-api03-Ab1Cd2Ef3Gh4Ij5Kl6Mn7", "Ab1Cd2Ef3Gh4Ij5Kl6Mn7"),
    ("sk-proj-T3BlbkFJabcdefghijklmnop12", "T3BlbkFJabcdefghijklmnop12"),
    ("ghp_16C7e42F292c6912E7710c838347Ae178B4a", "16C7e42F292c6912E7710c838347Ae178B4a"),
    ("\u{1b}[32mghp_16C7e42F292c6912E7710c838347Ae178B4a\u{1b}[0m", "16C7e42F292c6912E7710c838347Ae178B4a"),
    ("ghp_16C7e42F292c6912E7710c838347Ae178B4a/", "16C7e42F292c6912E7710c838347Ae178B4a"),
    ("https://ghp_16C7e42F292c6912E7710c838347Ae178B4a@github.com/a/b.git", "16C7e42F292c6912E7710c838347Ae178B4a"),
    ("https://x-access-token:ghs_16C7e42F292c6912E7710c838347Ae178B4a@github.com/a", "ghs_16C7e42F292c6912E7710c838347Ae178B4a"),
    ("github_pat_11ABCDEFG0abcdefghijkl_mnopqrstuvwxyz0123456789", "11ABCDEFG0abcdefghijkl_mnopqrstuvwxyz0123456789"),
    ("postgres://admin:hunter2@db.internal:5432/app", "hunter2"),
    ("redis://:s3cr3t@cache/0", "s3cr3t"),
    ("amqp://guest:p@ss:word@mq", "p@ss:word"),
    ("mongodb+srv://u:pw123@host", "pw123"),
    ("https://0123456789abcdef0123456789abcdef@sentry.io/42", "0123456789abcdef0123456789abcdef"),
    ("-----BEGIN RSA PRIVATE KEY-----\nMIIEpAIBAAKCAQEA7\nabc\n-----END RSA PRIVATE KEY-----\n", "MIIEpAIBAAKCAQEA7"),
    ("-----BEGIN OPENSSH PRIVATE KEY-----\nb3BlbnNzaC1rZXktdjEAAAAA", "b3BlbnNzaC1rZXktdjEAAAAA"),
    ("Authorization: Bearer abc123def456ghi789jkl", "abc123def456ghi789jkl"),
    ("authorization: bearer AbC123.def-456_ghi=", "AbC123.def-456_ghi="),
    ("Authorization: Basic dXNlcjpwYXNzd29yZDEyMw==", "dXNlcjpwYXNzd29yZDEyMw=="),
    ("AKIAIOSFODNN7EXAMPLE", "IOSFODNN7EXAMPLE"),
    ("aws_secret_access_key = \(key40)", key40),
    ("AWS_SECRET_ACCESS_KEY=\(key40)", key40),
    ("{\"AccessKeyId\": \"AKIAIOSFODNN7EXAMPLE\", \"SecretAccessKey\": \"\(key40)\"}", key40),
    ("AKIAIOSFODNN7EXAMPLE,\(key40)", key40),
    ("xoxb-123456789012-123456789012-AbCdEfGhIjKlMnOpQrStUvWx", "AbCdEfGhIjKlMnOpQrStUvWx"),
    ("glpat-AbC1dEf2GhI3jKl4MnO5", "AbC1dEf2GhI3jKl4MnO5"),
    ("eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxMjM0NTY3ODkwIn0.dozjgNryP4J3jVmNHl0w5N", "dozjgNryP4J3jVmNHl0w5N"),
    ("npm_abcdefghijklmnopqrstuvwxyz0123456789", "abcdefghijklmnopqrstuvwxyz0123456789"),
    ("AIzaSyA1b2C3d4E5f6G7h8I9j0K1l2M3n4O5p6", "SyA1b2C3d4E5f6G7h8I9j0K1l2M3n4O5p6"),
    ("token=hf_AbCdEfGhIjKlMnOpQrStUvWxYz012345.", "AbCdEfGhIjKlMnOpQrStUvWxYz012345"),
    // Coloured, with and without its ESC; in a string's source.
    ("31m\(token)", token), (" [31m\(token) [0m", token), ("[0;1m\(token)", token), (" 0;1m\(token)", token), ("[m\(token)", token),
    ("[K\(token)", token), ("\\u001b[31m\(token)\\u001b[0m", token), ("\\x1b[1m\(token)", token), ("\u{9b}31m\(token)", token),
    ("\\u001b\(token)", token), ("first\\n\(token)", token), ("a\\t\(token)\\r\\n", token), ("\\r\(token)", token),
    ("{\"a\":\"{\\\"k\\\":\\\"\(token)\\\"}\"}", token), ("\\\\n\(token)", token), ("a=%0A\(token)", token), ("k%3D\(token)&x", token),
    ("x\\nBearer abc123def456ghi789jkl", "abc123def456ghi789jkl"), ("[1mBearer abc123def456ghi789jkl", "abc123def456ghi789jkl"),
    ("{\\\"SecretAccessKey\\\": \\\"\(key40)\\\"}", key40), ("\\nAKIAIOSFODNN7EXAMPLE", "IOSFODNN7EXAMPLE"),
    ("SG.abcdefghijklmnop1234.qrstuvwxyz5678", "abcdefghijklmnop1234"),
  ]

  private static let misses = [
    "sk-learn-contrib-2024-edition-of-the-book", "sk-learn-model-20b-quantized-v2", "pip install sk-learn-extensions-for-3-people", "ghp_short1",
    "https://github.com/a/b.git", "https://user@github.com/a/b", "git@github.com:a/b.git", "ssh://git@example.org:22/a",
    "postgres://admin:$PASSWORD@db", "postgres://admin:${DB_PASSWORD}@db", "https://user:***@host", "mail me@example.org: hello", "see http://x/ and a@b",
    "-----BEGIN CERTIFICATE-----\nMIIB\n-----END CERTIFICATE-----", "-----BEGIN PUBLIC KEY-----\nMIIB\n-----END PUBLIC KEY-----",
    "the bearer of this letter", "C:\\new_model4-of-the-year", "\\nsk-learn-model-20b-quantized-v2", "[31msk-learn-model-20b-quantized-v2", "31musicians",
    "xghp_16C7e42F292c6912E7710c838347Ae178B4a", "amghp_16C7e42F292c6912E7710c838347Ae178B4a", "\\ughp_16C7e42F292c6912E7710c838347Ae178B4a",
    "forbearer abc123def456ghi789jkl", "Bearer token is missing", "Bearer authentication-required-for-this",
    "commit 4b825dc642cb6eb9a060e54bf8d69288fbee4904", "sha256:6ef19b41225c5369f1c104d45d8d85efa9b057b53b14b4b9b939dd74decc5321",
    "/usr/lib/node_modules/sk-utils-for-everyone/index.js", "ses_6d5c4b3a2918", "20261122-162803-k3f9", "eyJ is how base64 of JSON begins",
    "AKIA", "npm_config_registry", "npm_lifecycle_event_that_is_a_long_name_indeed", "hf_transfer", "pypi-server", "xai-sdk", "SG.",
    "src/AKIAModels/Version2.swift", "aws_secret_access_key is not set", "Basic usage: run it",
  ]

  @Test(arguments: hits.indices)
  func aSecretIsMasked(index: Int) {
    let (text, secret) = Self.hits[index]
    var count = 0
    let masked = SecretMask.apply(to: text, count: &count)
    #expect(!masked.contains(secret) && masked.contains("[masked]") && count >= 1, "\(masked)")
  }

  @Test(arguments: misses)
  func whatIsNoSecretStays(text: String) {
    var count = 0
    #expect(SecretMask.apply(to: text, count: &count) == text)
    #expect(count == 0)
  }

  @Test func longTextsTakeNoTime() {
    var count = 0
    let text = String(repeating: "Bearer AKIA sk-x https://a:b -----BEGIN ", count: 20_000)
    _ = SecretMask.apply(to: text, count: &count)
  }
}
