export default {
  files: ['dist/test/**/*.test.js'],
  timeout: '120s',
  concurrency: 2,
  nodeArguments: ['--enable-source-maps'],
  workerThreads: false,
  // Two files at a time keep two cores busy; tests that start processes by the dozen at once would only time out.
  serial: true,
};
