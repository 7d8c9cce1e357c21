package chooser

import (
	"strings"
	"testing"
)

func TestA92_OnlyAPlainAddressHasADomain(t *testing.T) {
	t.Parallel()
	tests := map[string]struct{ address, domain string }{
		"plain":                               {"jo@corp.example", "corp.example"},
		"case does not count":                 {"Jo@CORP.Example", "corp.example"},
		"with plus and dots":                  {"jo.q+x@a-b.corp.example", "a-b.corp.example"},
		"an internationalised domain, coded":  {"jo@xn--mller-kva.example", "xn--mller-kva.example"},
		"two @":                               {"a@evil@corp.example", ""},
		"a quoted @":                          {`"a@evil"@corp.example`, ""},
		"a comment":                           {"jo(x)@corp.example", ""},
		"a comment in the domain":             {"jo@corp.example(x)", ""},
		"a name before it":                    {"Jo <jo@corp.example>", ""},
		"a list":                              {"jo@corp.example,jo@evil.example", ""},
		"white space at the end":              {"jo@corp.example ", ""},
		"a line break":                        {"jo@corp.example\r\nX: y", ""},
		"a NUL":                               {"jo@corp.example\x00.evil.example", ""},
		"a trailing dot":                      {"jo@corp.example.", ""},
		"two dots":                            {"jo@corp..example", ""},
		"a leading dot":                       {"jo@.corp.example", ""},
		"no local part":                       {"@corp.example", ""},
		"no domain":                           {"jo@", ""},
		"one label":                           {"jo@localhost", ""},
		"an address literal":                  {"jo@[127.0.0.1]", ""},
		"an IP address":                       {"jo@127.0.0.1", ""},
		"letters that look like others":       {"jo@cоrp.example", ""},
		"a full-width domain":                 {"jo@ｃｏｒｐ.example", ""},
		"the Kelvin sign, which folds into k": {"jo@\u212aorp.example", ""},
		"a full-width @":                      {"jo＠corp.example", ""},
		"a label that begins with a hyphen":   {"jo@-corp.example", ""},
		"an underscore":                       {"jo@co_rp.example", ""},
		"percent hack":                        {"jo%evil.example@corp.example", "corp.example"},
		"a dot at the start":                  {".jo@corp.example", ""},
		"much too long a local part":          {strings.Repeat("a", 65) + "@corp.example", ""},
		"much too long a domain":              {"jo@" + strings.Repeat("a.", 130) + "example", ""},
		"a label of 64 characters":            {"jo@" + strings.Repeat("a", 64) + ".example", ""},
		"a URL":                               {"https://jo@corp.example/", ""},
		"nothing":                             {"", ""},
	}
	x := NewIndex([]Office{
		{ID: "corp", Name: "Corp", Domains: []string{"corp.example"}}, {ID: "evil", Name: "Evil", Domains: []string{"evil.example"}},
		{ID: "more", Name: "More", Domains: []string{"a-b.corp.example", "xn--mller-kva.example"}},
	})
	for name, tc := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			domain, ok := EmailDomain(tc.address)
			if ok != (tc.domain != "") || ok && domain != tc.domain {
				t.Errorf("%q, %v, want %q", domain, ok, tc.domain)
			}
			if r := x.Rank(Query{LoginHint: tc.address}); (r.Direct != "") != (tc.domain != "") {
				t.Errorf("goes straight to %q", r.Direct)
			}
		})
	}
}

func TestA92_AMalformedAddressFindsNothing(t *testing.T) {
	t.Parallel()
	x := NewIndex([]Office{{ID: "corp", Name: "Corp", Domains: []string{"corp.example"}}, {ID: "evil", Name: "Evil", Domains: []string{"evil.example"}}})
	for typed, want := range map[string]int{
		"a@corp@evil.example": 0, `"x"@corp.example`: 0, "jo(corp)@evil.example": 0, "jo@corp.example.": 0, "jo@": 0, "@": 0, "x y@corp.example": 0,
		"jo@corp.example": 1, "@corp.example": 1, "jo@co": 1,
	} {
		if r := x.Rank(Query{Text: typed}); r.Total != want {
			t.Errorf("%q finds %d, want %d", typed, r.Total, want)
		}
	}
}

func TestA119_OfATypedAddressOnlyTheDomainIsKept(t *testing.T) {
	t.Parallel()
	for typed, want := range map[string]string{
		"ann.lee@corp.example": "@corp.example", " ann@corp": "@corp", "@corp.example": "@corp.example", "University": "University", "a b@c": "a b@c", "": "",
	} {
		if got := Tidy(typed); got != want {
			t.Errorf("%q: %q, want %q", typed, got, want)
		}
	}
	v := view(Ranking{Total: 30, Page: 2, Pages: 3})
	v.Text = "ann.lee@corp.example"
	if body := shown(t, v, "/login").Body.String(); strings.Contains(body, "ann.lee") || !strings.Contains(body, `value="@corp.example"`) {
		t.Error("the page repeats who somebody is")
	}
}

func FuzzEmailDomain(f *testing.F) {
	f.Add("jo@corp.example")
	f.Fuzz(func(t *testing.T, s string) {
		domain, ok := EmailDomain(s)
		if ok && (strings.Count(s, "@") != 1 || !strings.HasSuffix(strings.ToLower(s), "@"+domain) || strings.ContainsAny(domain, " \t\r\n@()\"<>,")) {
			t.Errorf("%q has the domain %q", s, domain)
		}
	})
}
