// Only the three rules that need types and that Biome does not have; everything else is Biome's.
import tseslint from 'typescript-eslint';

export default tseslint.config({
  files: ['build.ts', 'src/**/*.{ts,tsx}', 'plugins/**/*.ts', 'image/**/*.ts', 'test/**/*.ts'],
  languageOptions: {
    parser: tseslint.parser,
    parserOptions: { projectService: true, tsconfigRootDir: import.meta.dirname },
  },
  plugins: { '@typescript-eslint': tseslint.plugin },
  linterOptions: { reportUnusedDisableDirectives: 'error' },
  rules: {
    // node:test's own calls return promises that the runner awaits.
    '@typescript-eslint/no-floating-promises': [
      'error',
      {
        allowForKnownSafeCalls: [
          {
            from: 'package',
            name: ['test', 'describe', 'it', 'suite', 'before', 'after'],
            package: 'node:test',
          },
        ],
      },
    ],
    '@typescript-eslint/no-misused-promises': 'error',
    '@typescript-eslint/switch-exhaustiveness-check': ['error', { considerDefaultExhaustiveForUnions: true }],
  },
});
