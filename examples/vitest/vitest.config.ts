import { defineConfig } from 'vitest/config';

export default defineConfig({
  test: { globalSetup: 'bloomery/testing/global-setup' },
});
