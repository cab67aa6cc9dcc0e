export default {
  files: ['dist/test/**/*.test.js'],
  timeout: '120s',
  concurrency: 2,
  nodeArguments: ['--enable-source-maps'],
  workerThreads: false,
};
