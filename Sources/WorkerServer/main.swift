print("opencode-worker")
