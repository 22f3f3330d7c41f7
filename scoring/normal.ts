/**
 * The standard normal distribution, to double precision: what the planner needs of it.
 *
 * Own code, for the kept packages that have both functions bring well over a hundred others with them; golden values of SciPy
 * hold it.
 */

/** Coefficients of a polynomial, the highest power first. */
type Polynomial = readonly number[];

const CDF_ABOVE: Polynomial = [
  3.52624965998911e-2,
  0.700383064443688,
  6.37396220353165,
  33.912866078383,
  112.079291497871,
  221.213596169931,
  220.206867912376,
];
const CDF_BELOW: Polynomial = [
  8.83883476483184e-2,
  1.75566716318264,
  16.064177579207,
  86.7807322029461,
  296.564248779674,
  637.333633378831,
  793.826512519948,
  440.413735824752,
];

/** Above and below the line of a quotient of polynomials, each for its part of the distribution. */
const MIDDLE: readonly [Polynomial, Polynomial] = [
  [
    2509.0809287301226727,
    33430.575583588128105,
    67265.770927008700853,
    45921.953931549871457,
    13731.693765509461125,
    1971.5909503065514427,
    133.14166789178437745,
    3.387132872796366608,
  ],
  [
    5226.495278852854561,
    28729.085735721942674,
    39307.89580009271061,
    21213.794301586595867,
    5394.1960214247511077,
    687.1870074920579083,
    42.313330701600911252,
    1,
  ],
];
const TAIL: readonly [Polynomial, Polynomial] = [
  [
    7.7454501427834140764e-4,
    0.0227238449892691845833,
    0.24178072517745061177,
    1.27045825245236838258,
    3.64784832476320460504,
    5.7694972214606914055,
    4.6303378461565452959,
    1.42343711074968357734,
  ],
  [
    1.05075007164441684324e-9,
    5.475938084995344946e-4,
    0.0151986665636164571966,
    0.14810397642748007459,
    0.68976733498510000455,
    1.6763848301838038494,
    2.05319162663775882187,
    1,
  ],
];
const FAR_TAIL: readonly [Polynomial, Polynomial] = [
  [
    2.01033439929228813265e-7,
    2.71155556874348757815e-5,
    0.0012426609473880784386,
    0.026532189526576123093,
    0.29656057182850489123,
    1.7848265399172913358,
    5.4637849111641143699,
    6.6579046435011037772,
  ],
  [
    2.04426310338993978564e-15,
    1.4215117583164458887e-7,
    1.8463183175100546818e-5,
    7.868691311456132591e-4,
    0.0148753612908506148525,
    0.13692988092273580531,
    0.59983220655588793769,
    1,
  ],
];

/**
 * The chance that a standard normal number is below `x`, within 1e-15. J. F. Hart's approximation (Computer Approximations,
 * 1968) as G. West prints it (Better approximations to cumulative normal functions, 2005).
 */
export function normalCdf(x: number): number {
  const far = Math.abs(x);
  const upper = far > 38 ? 0 : Math.exp(-far * far / 2) * millsRatio(far);
  return x > 0 ? 1 - upper : upper;
}

/** The upper tail at `x` of 0 or more, as a multiple of exp(-x^2 / 2). */
function millsRatio(x: number): number {
  if (x < 7.07106781186547) return value(CDF_ABOVE, x) / value(CDF_BELOW, x);
  return 1 / (x + 1 / (x + 2 / (x + 3 / (x + 4 / (x + 0.65))))) / Math.sqrt(2 * Math.PI);
}

/**
 * Where a standard normal number is below with the chance `p`, 0 to 1; the inverse of `normalCdf`, within a relative 1e-15.
 * M. J. Wichura's algorithm AS 241 (Applied Statistics 37, 1988).
 */
export function normalQuantile(p: number): number {
  const middle = p - 0.5;
  if (Math.abs(middle) <= 0.425) return middle * quotient(MIDDLE, 0.180625 - middle * middle);
  const tail = Math.sqrt(-Math.log(middle < 0 ? p : 1 - p));
  if (tail === Infinity) return middle < 0 ? -Infinity : Infinity;
  const far = tail <= 5 ? quotient(TAIL, tail - 1.6) : quotient(FAR_TAIL, tail - 5);
  return middle < 0 ? -far : far;
}

function quotient([above, below]: readonly [Polynomial, Polynomial], x: number): number {
  return value(above, x) / value(below, x);
}

function value(polynomial: Polynomial, x: number): number {
  return polynomial.reduce((sum, coefficient) => sum * x + coefficient, 0);
}
