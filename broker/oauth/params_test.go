package oauth_test

import (
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"

	"apostille/broker/oauth"
)

func TestParseParams(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name, body string
		want       map[string][]string // nil: refused
		says       string              // part of the refusal
	}{
		{"plain parameters are read", "grant_type=a&scope=b", map[string][]string{"grant_type": {"a"}, "scope": {"b"}}, ""},
		{"names and values are form-decoded", "sc%6Fpe=a+b%20c%2Bd", map[string][]string{"scope": {"a b c+d"}}, ""},
		{"an empty value counts as absent", "scope=&grant_type=a", map[string][]string{"scope": nil, "grant_type": {"a"}}, ""},
		{"a name without = counts as absent", "scope&grant_type=a", map[string][]string{"scope": nil, "grant_type": {"a"}}, ""},
		{"audience and resource may stand more than once", "audience=a&audience=b&resource=c&resource=d",
			map[string][]string{"audience": {"a", "b"}, "resource": {"c", "d"}}, ""},
		{"empty pairs are passed over", "&&a=b&", map[string][]string{"a": {"b"}}, ""},
		{"nothing at all is no parameters", "", map[string][]string{}, ""},
		{"a value may hold =", "a=b=c", map[string][]string{"a": {"b=c"}}, ""},
		{"a repeated parameter is refused", "scope=a&scope=b", nil, "parameter scope is repeated"},
		{"equal repetitions are refused too", "scope=a&scope=a", nil, "repeated"},
		{"a repetition behind an empty one is refused", "scope=&scope=a", nil, "repeated"},
		{"a repetition in another encoding is refused", "scope=a&sc%6Fpe=b", nil, "repeated"},
		{"an unknown parameter that is repeated is refused", "x=1&x=2", nil, "repeated"},
		{"a name that is not form-encoded is refused", "a%zz=b", nil, "name is not form-encoded"},
		{"a value that is not form-encoded is refused", "scope=%zz", nil, "parameter scope is not form-encoded"},
		{"64 parameters are read", strings.Repeat("audience=a&", 64), map[string][]string{"audience": slices.Repeat([]string{"a"}, 64)}, ""},
		{"65 parameters are too many", strings.Repeat("audience=a&", 65), nil, "too many"},
		{"what may be a secret is not repeated in the answer", "eyJhbGciOiJub25lIn0=1&eyJhbGciOiJub25lIn0=2", nil, "a parameter is repeated"},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			p, err := oauth.ParseParams(c.body)
			if c.want == nil {
				if err == nil || err.Code != oauth.CodeInvalidRequest || err.Status != http.StatusBadRequest || !strings.Contains(err.Description, c.says) {
					t.Fatalf("got %v, wanted invalid_request with %q", err, c.says)
				}
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			for name, want := range c.want {
				if got := p.List(name); !slices.Equal(got, want) || p.Has(name) != (len(want) > 0) {
					t.Errorf("%s = %q, has %v, wanted %q", name, got, p.Has(name), want)
				}
			}
		})
	}
}

func TestParamsOfAndGet(t *testing.T) {
	t.Parallel()
	p := oauth.ParamsOf("a", "1", "b", "", "audience", "x", "audience", "y")
	var names []string
	p.Names(func(name string) { names = append(names, name) })
	slices.Sort(names)
	if p.Get("a") != "1" || p.Has("b") || p.Get("nobody") != "" || !slices.Equal(names, []string{"a", "audience"}) {
		t.Errorf("a %q, b %v, names %v", p.Get("a"), p.Has("b"), names)
	}
}

func TestScopesAreSplitAndEachNamedOnce(t *testing.T) {
	t.Parallel()
	for sent, want := range map[string][]string{
		"": nil, "a": {"a"}, "a b": {"a", "b"}, "b a b a": {"b", "a"}, "  a   b ": {"a", "b"}, "a\tb": {"a\tb"},
	} {
		if got := oauth.ParamsOf("scope", sent).Scopes(); !slices.Equal(got, want) {
			t.Errorf("%q: %q, wanted %q", sent, got, want)
		}
	}
}

func TestReadForm(t *testing.T) {
	t.Parallel()
	const form = "application/x-www-form-urlencoded"
	for _, c := range []struct {
		name, method, target, kind, body string
		says                             string // "" = accepted
	}{
		{"a form is read", "POST", "/", form, "a=b", ""},
		{"a charset beside the type is fine", "POST", "/", form + "; charset=UTF-8", "a=b", ""},
		{"a body of exactly the limit is read", "POST", "/", form, "a=" + strings.Repeat("x", 30), ""},
		{"a GET is refused", "GET", "/", form, "a=b", "use POST"},
		{"parameters in the query are refused", "POST", "/?client_secret=x", form, "a=b", "not into the query"},
		{"JSON is refused", "POST", "/", "application/json", "{}", "Content-Type"},
		{"multipart is refused", "POST", "/", "multipart/form-data; boundary=x", "", "Content-Type"},
		{"no type is refused", "POST", "/", "", "a=b", "Content-Type"},
		{"a body over the limit is refused", "POST", "/", form, "a=" + strings.Repeat("x", 31), "larger"},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			r := httptest.NewRequest(c.method, c.target, strings.NewReader(c.body))
			r.Header.Set("Content-Type", c.kind)
			w := httptest.NewRecorder()
			_, err := oauth.ReadForm(w, r, 32)
			if c.says == "" {
				if err != nil {
					t.Fatal(err)
				}
				return
			}
			if err == nil || !strings.Contains(err.Description, c.says) {
				t.Fatalf("got %v, wanted %q", err, c.says)
			}
			if c.method == "GET" && w.Header().Get("Allow") != "POST" {
				t.Error("the answer does not say what is allowed")
			}
		})
	}
}

// FuzzParseParams: no panic; what is accepted has each name but audience and resource once, and no empty value.
func FuzzParseParams(f *testing.F) {
	for _, seed := range []string{"", "a=b", "a=b&a=c", "audience=a&audience=b", "%zz", "a=%", "&&&", "=x", "a=b;c=d"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, body string) {
		p, err := oauth.ParseParams(body)
		if err != nil {
			if err.Description != oauth.Printable(err.Description) {
				t.Errorf("description %q is not printable", err.Description)
			}
			return
		}
		p.Names(func(name string) {
			list := p.List(name)
			if len(list) > 1 && name != "audience" && name != "resource" || slices.Contains(list, "") {
				t.Errorf("%q = %q", name, list)
			}
		})
	})
}
