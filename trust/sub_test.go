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

// Applications know people by these values: they never change either.
func TestPairwiseSubsNeverChange(t *testing.T) {
	t.Parallel()
	salt := make([]byte, 32)
	for i := range salt {
		salt[i] = byte(i)
	}
	const kim = "55CJWTIHoSLWHilnBFnCdy7uSdisJhai5khYOGtuZPo"
	for _, c := range []struct {
		salt              []byte
		sector, sub, want string
	}{
		{salt, "shops", kim, "des59fWFJvIFfJWqXmnDUoifEnIlAj70p164a2-N5Hs"},
		{salt, "partners", kim, "S8ZpnpHNqiUS6vqmA50bxbHG29GnH3b_OM2tOe32ykk"},
		{salt, "shops", "client:portal", "jJqfOO4IUrNwu9gODe42g2h66iQfrGW9IsQO8lhZlkk"},
		{salt, "", "", "v5QaRgz9Xg5jGXbCB1ZC0AWSVt4Z4arWjzIGAIIVNlk"},
		{nil, "shops", "a", "CpesINapKs5AM0tedOL1pODFkTJEIarZM_GBzHyMnNg"},
	} {
		if got := PairwiseSub(c.salt, c.sector, c.sub); got != c.want {
			t.Errorf("PairwiseSub(%x, %q, %q) = %s, want %s", c.salt, c.sector, c.sub, got, c.want)
		}
	}
}

func TestSIDsNeverChange(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ session, client, want string }{
		{"s-1", "portal", "dRPmSbhgNamPS9hfxLGM3IVPlBqs9bI9Cn8OXSoe__4"},
		{"s-1", "orders", "o3U7gyEDO28PmCGj4YJ4R0DX5EuFb5NwFpUQJbMZDWQ"},
		{"s-2", "portal", "TzomoXsZBvDrIpS3WpkGghyRoCUW4_nsuANJsB4EQUQ"},
		{"s-1p", "ortal", "mCRsg4Wo_RkCRYjGs9RPZj1vIGFcUnYgBo5L59BMefo"},
		{"", "", "Py-nvFV-rT4lTFcSHtCtHBB-dKyTfG8u0GRhNl6lDRY"},
	} {
		if got := SID(c.session, c.client); got != c.want {
			t.Errorf("SID(%q, %q) = %s, want %s", c.session, c.client, got, c.want)
		}
	}
}

func FuzzPairwiseSub(f *testing.F) {
	f.Add([]byte("k"), "ab", "c", "a", "bc")
	f.Fuzz(func(t *testing.T, salt []byte, s1, u1, s2, u2 string) {
		a, b := PairwiseSub(salt, s1, u1), PairwiseSub(salt, s2, u2)
		if same := s1 == s2 && u1 == u2; (a == b) != same {
			t.Fatalf("(%q %q) and (%q %q): equal %v", s1, u1, s2, u2, a == b)
		}
		if a == DeriveSub(s1, u1, "") || a == SID(s1, u1) || !derivedSub.MatchString(a) {
			t.Fatalf("%q could be taken for another kind of value", a)
		}
	})
}

func TestA89_OneSubOfTwoIssuersIsTwoPeople(t *testing.T) {
	t.Parallel()
	s := hmart()
	second := cloneTrust(s.Trusts["hq"])
	second.Issuer = "https://idp.other.example"
	s.Trusts["other"] = second
	subOf := func(s Spec, id string) string {
		trust, ok := compile(t, s).Trust(id)
		if !ok {
			t.Fatalf("no trust %s", id)
		}
		return trust.SubOf("s-1")
	}
	if subOf(s, "hq") == subOf(s, "other") {
		t.Error("two issuers' subjects of one name are one person here")
	}
	// The twin: an admin who says that two issuers speak for one domain means it.
	second.Domain = s.Trusts["hq"].Issuer
	s.Trusts["other"] = second
	if subOf(s, "hq") != subOf(s, "other") {
		t.Error("one domain's subjects of one name are two people here")
	}
}
