package trust

import (
	"regexp"
	"testing"
)

// Every account of every relying party hangs on these values: they never change. They were computed by another
// program from the words of the definition.
func TestDerivedSubsNeverChange(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ domain, kind, value, want string }{
		{"https://idp.hq.hmart.example", "sub", "kim", "55CJWTIHoSLWHilnBFnCdy7uSdisJhai5khYOGtuZPo"},
		{"https://idp.hq.hmart.example/", "sub", "kim", "HDE7R891Yy4LPOvRHP_nUEBiBdct2UsEW3TtI55qBFw"},
		{"https://idp.hq.hmart.example", "oid", "kim", "qbSTBpFCG7tTTSm5N_zFJXET8DJDZFTJG9CGnO4YgFc"},
		{"https://accounts.google.com", "sub", "110169484474386276334", "swrqRwN6XO1q9XagBZG_TLYbEQ5YvGx47-KRuqhu-5o"},
		{"https://login.microsoftonline.com/9188040d-6c67-4c5b-b112-36a304b66dad/v2.0", "oid", "00000000-0000-0000-66f3-3332eca7ea81", "8zdTz_kYYD6lOy1VmpGryY_PfE2Lzt07NybrzuLU5nU"},
		{"urn:hmart:head-office", "sub", "Kim", "FeNNwG0bhMxTCkZ_baAGSD9L3f3gn8hSm1s1r-G4ceQ"},
		{"https://idp.example", "sub", "", "cae6ndjgZvrWGzpg-8DSz6Wi55T6Zut_-qYs7IKl2DE"},
		{"", "", "", "6hL_krbZTYxkLKbw5AzUymHhKN7aS-sY3UBRVyYugPI"},
		{"https://idp.example", "sub", "名前", "aempCQEuvdAOt4h_wo52YWFM_t8iJAOu5WuEG3o8vR8"},
		{"https://idp.example", "urn:oasis:names:tc:SAML:1.1:nameid-format:persistent", "a b\n", "n2mBW4JicFWXkj-E2KnRutedDAinCp_xcKbe0ffc21s"},
	} {
		if got := DeriveSub(c.domain, c.kind, c.value); got != c.want {
			t.Errorf("DeriveSub(%q, %q, %q) = %s, want %s", c.domain, c.kind, c.value, got, c.want)
		}
	}
}

var derivedSub = regexp.MustCompile(`^[A-Za-z0-9_-]{43}$`)

func FuzzDeriveSub(f *testing.F) {
	f.Add("a", "b", "c", "ab", "", "c")
	f.Add("a\x00", "b", "c", "a", "\x00b", "c")
	f.Add("d", "sub", "x", "d", "sub", "x")
	f.Fuzz(func(t *testing.T, d1, k1, v1, d2, k2, v2 string) {
		a, b := DeriveSub(d1, k1, v1), DeriveSub(d2, k2, v2)
		if same := d1 == d2 && k1 == k2 && v1 == v2; (a == b) != same {
			t.Fatalf("(%q %q %q) and (%q %q %q): subs equal %v, subjects equal %v", d1, k1, v1, d2, k2, v2, a == b, same)
		}
		if !derivedSub.MatchString(a) {
			t.Fatalf("%q could be taken for another kind of sub", a)
		}
	})
}
