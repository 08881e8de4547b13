// What stands in for libm. Each value tells its function from the others.
import CMath
import Testing

@Suite struct MathTests {
  /// A sign stays with zero (C11, annex F).
  @Test(arguments: [
    (2.5, 3.0), (-2.5, -2), (2, 2), (-7, -7), (0.25, 1), (-0.25, -0.0), (0, 0), (-0.0, -0.0), (1e-300, 1), (-1e-300, -0.0),
    (4_503_599_627_370_495.5, 4_503_599_627_370_496), (-4_503_599_627_370_495.5, -4_503_599_627_370_495), (1e18, 1e18),
    (1e19, 1e19), (-1e300, -1e300), (.infinity, .infinity), (-.infinity, -.infinity),
  ])
  func `rounded up`(value: Double, expected: Double) {
    #expect(cmath_ceil(value) == expected)
    #expect(cmath_ceil(value).sign == expected.sign)
    #expect(cmath_ceill(Float80(value)) == Float80(expected))
  }

  @Test func `rounded up with less precision, and what is no number`() {
    #expect(cmath_ceilf(2.5) == 3)
    #expect(cmath_ceilf(-0.5).sign == .minus)
    #expect(cmath_ceilf(8_388_607.5) == 8_388_608)
    #expect(cmath_ceilf(1e30) == 1e30)
    #expect(cmath_ceilf(.nan).isNaN)
    #expect(cmath_ceil(.nan).isNaN)
    #expect(cmath_ceill(.nan).isNaN)
  }

  @Test func `all others, by libm`() {
    let double = [
      cmath_cos(0), cmath_exp(0), cmath_exp2(3), cmath_floor(-2.5), cmath_log(1), cmath_log10(1_000), cmath_log2(8),
      cmath_nearbyint(2.5), cmath_rint(3.5), cmath_round(2.5), cmath_sin(0), cmath_sqrt(9), cmath_trunc(-2.5), cmath_fmod(7, 4),
      cmath_remainder(7, 4), cmath_fma(2, 3, 4),
    ]
    let float = [
      cmath_cosf(0), cmath_expf(0), cmath_exp2f(3), cmath_floorf(-2.5), cmath_logf(1), cmath_log10f(1_000), cmath_log2f(8),
      cmath_nearbyintf(2.5), cmath_rintf(3.5), cmath_roundf(2.5), cmath_sinf(0), cmath_sqrtf(9), cmath_truncf(-2.5),
      cmath_fmodf(7, 4), cmath_remainderf(7, 4), cmath_fmaf(2, 3, 4),
    ]
    let long = [
      cmath_cosl(0), cmath_expl(0), cmath_exp2l(3), cmath_floorl(-2.5), cmath_logl(1), cmath_log10l(1_000), cmath_log2l(8),
      cmath_nearbyintl(2.5), cmath_rintl(3.5), cmath_roundl(2.5), cmath_sinl(0), cmath_sqrtl(9), cmath_truncl(-2.5),
      cmath_fmodl(7, 4), cmath_remainderl(7, 4), cmath_fmal(2, 3, 4),
    ]
    let expected = [1.0, 1, 8, -3, 0, 3, 3, 2, 4, 3, 0, 3, -2, 3, -1, 10]
    #expect(double == expected)
    #expect(float == expected.map(Float.init))
    // libm's own logarithm of 1,000 is not quite 3 with this precision.
    #expect(zip(long, expected).allSatisfy { abs($0 - Float80($1)) < 1e-15 })
  }
}
