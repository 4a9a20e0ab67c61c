# Homebrew formula. Scripts/release fills in what stands between @ and writes it to dist/. Untried on macOS.
class OpencodeWorker < Formula
  desc "Lets Codex delegate coding tasks to OpenCode and review what it changed"
  homepage "@URL@"
  version "@VERSION@"
  license "MIT"

  on_macos do
    depends_on arch: :arm64
    depends_on macos: :sequoia
    url "@URL@/opencode-worker-@VERSION@-macos-arm64.tar.xz"
    sha256 "@MACOS_ARM64@"
  end

  on_linux do
    on_intel do
      url "@URL@/opencode-worker-@VERSION@-linux-x86_64.tar.xz"
      sha256 "@LINUX_X86_64@"
    end
    on_arm do
      url "@URL@/opencode-worker-@VERSION@-linux-aarch64.tar.xz"
      sha256 "@LINUX_AARCH64@"
    end
  end

  def install
    bin.install "plugin/bin/opencode-worker"
    doc.install "README.md", "CHANGELOG.md", "config.example.toml", "marketplace.example.json"
  end

  def caveats
    <<~EOS
      Set it up in Codex, and again after each upgrade:
        opencode-worker install --enable --hooks --wake
    EOS
  end

  test do
    assert_match version.to_s, shell_output("#{bin}/opencode-worker --version")
  end
end
