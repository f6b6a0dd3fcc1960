declare module "*?raw" {
  const text: string;
  // biome-ignore lint/style/noDefaultExport: that is what Vite gives
  export default text;
}
