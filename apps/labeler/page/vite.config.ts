import react from "@vitejs/plugin-react";
import { defaultClientConditions, defineConfig } from "vite";

/** The page of `autolabel ui`: files that the server hands out as they are, and that ask nobody else for anything. */
export default defineConfig({
  root: import.meta.dirname,
  base: "./",
  plugins: [react()],
  resolve: { conditions: ["@autolabel/source", ...defaultClientConditions] },
  build: {
    outDir: "../dist/page",
    emptyOutDir: true,
    target: "es2023",
    // The page's policy allows no data: addresses.
    assetsInlineLimit: 0,
    // The chart library is loaded with the first chart.
    chunkSizeWarningLimit: 600,
  },
});
