import { defineConfig } from "vitest/config";

const TIMEOUT_MS = 60_000; // the machine may be busy

export default defineConfig({
  test: { include: ["test/**/*.test.ts"], environment: "node", testTimeout: TIMEOUT_MS },
});
