// Unpacks the Chromium of the npm package into TMPDIR, and prints the path of its program.

// Where this says so the package unpacks the libraries as well that a bare Linux lacks, into al2023/lib.
process.env.AWS_EXECUTION_ENV = "AWS_Lambda_nodejs24.x";
const { default: chromium } = await import("@sparticuz/chromium");

console.log(await chromium.executablePath());
