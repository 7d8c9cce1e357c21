package authorize

import (
	"slices"
	"strings"
	"testing"
)

func TestClaimsAreReadStrictly(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name, text, want string // want: as it is handed on; "!" = refused
	}{
		{"nothing asked for", `{}`, ""},
		{"null members", `{"id_token":null,"userinfo":null}`, ""},
		{"voluntary and essential", `{"id_token":{"email":null,"name":{"essential":true}}}`, `{"id_token":{"email":null,"name":{"essential":true}}}`},
		{"a value and values", `{"userinfo":{"a":{"value":1},"b":{"values":["x",2]}}}`, `{"userinfo":{"a":{"value":1},"b":{"values":["x",2]}}}`},
		{"unknown members are ignored", `{"new":{"x":1},"id_token":{"a":{"essential":true,"purpose":"why"}}}`, `{"id_token":{"a":{"essential":true}}}`},
		{"no object", `"x"`, "!"},
		{"not JSON", `{`, "!"},
		{"something behind it", `{} {}`, "!"},
		{"a member that is no object", `{"id_token":[]}`, "!"},
		{"a claim that is no object", `{"id_token":{"a":true}}`, "!"},
		{"essential in words", `{"id_token":{"a":{"essential":"true"}}}`, "!"},
		{"values that are no list", `{"id_token":{"a":{"values":"x"}}}`, "!"},
		{"a name twice", `{"id_token":{"a":null,"a":{"essential":true}}}`, "!"},
		{"too long", `{"x":"` + strings.Repeat("x", maxClaims) + `"}`, "!"},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			got, err := parseClaims(c.text)
			if (err != nil) != (c.want == "!") || err == nil && string(got.encode()) != c.want {
				t.Errorf("read %s, error %v", got.encode(), err)
			}
		})
	}
}

func TestASubjectThatBothMembersBindMustBeBoth(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		text  string
		subs  []string
		bound bool
	}{
		{`{}`, nil, false},
		{`{"id_token":{"sub":null}}`, nil, false},
		{`{"id_token":{"sub":{"essential":true}}}`, nil, false},
		{`{"id_token":{"sub":{"value":"a"}}}`, []string{"a"}, true},
		{`{"userinfo":{"sub":{"values":["a","b"]}}}`, []string{"a", "b"}, true},
		{`{"id_token":{"sub":{"value":"a"}},"userinfo":{"sub":{"values":["a","b"]}}}`, []string{"a"}, true},
		{`{"id_token":{"sub":{"value":"a"}},"userinfo":{"sub":{"value":"b"}}}`, nil, true},
		{`{"id_token":{"sub":{"value":7}}}`, nil, true}, // nobody is 7
	} {
		claims, err := parseClaims(c.text)
		if err != nil {
			t.Fatal(err)
		}
		subs, bound := claims.subjects()
		if bound != c.bound || !slices.Equal(subs, c.subs) && len(subs)+len(c.subs) > 0 {
			t.Errorf("%s binds %q, %v", c.text, subs, bound)
		}
	}
}

func FuzzParseClaims(f *testing.F) {
	for _, seed := range []string{`{}`, `{"id_token":{"a":{"values":[1]}}}`, `{"userinfo":null}`, `[`} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		c, err := parseClaims(text)
		if err != nil {
			return
		}
		if again, err := parseClaims(string(c.encode())); len(c.encode()) > 0 && (err != nil || string(again.encode()) != string(c.encode())) {
			t.Errorf("%s is read as %s, then as %s: %v", text, c.encode(), again.encode(), err)
		}
	})
}

// FuzzReadValues: no panic; what is read is written in one spelling, which is read as the same.
func FuzzReadValues(f *testing.F) {
	for _, seed := range []string{"", "a=b", "scope=a&scope=b", "resource=a&resource=b", "%zz", "state=%00", "&&=x"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, raw string) {
		v, p := readValues(raw, maxQuery, "resource")
		if p != nil || len(v.repeated) > 0 {
			return
		}
		spelled := v.encode(read)
		again, p := readValues(spelled, 3*maxQuery, "resource")
		if p != nil || again.encode(read) != spelled {
			t.Errorf("%q is spelled %q, then %q", raw, spelled, again.encode(read))
		}
	})
}
