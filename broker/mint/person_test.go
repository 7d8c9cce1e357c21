package mint_test

import (
	"encoding/json"
	"reflect"
	"slices"
	"testing"

	"apostille/broker/mint"
)

func TestStandardClaimsPassInTheirRegisteredTypeOnly(t *testing.T) {
	t.Parallel()
	theirs := map[string]any{
		"sub": "theirs", "iss": "theirs", "acr": "theirs", "roles": "admin",
		"name": "Kim", "given_name": 7.0, "family_name": []any{"Lee"}, "nickname": "", "updated_at": json.Number("1700000000"), "birthdate": true,
		"picture": "https://hq.example/kim.png", "website": "javascript:alert(1)", "profile": "/kim",
		"email": "kim@hq.example", "email_verified": true, "phone_number": "+1 555", "phone_number_verified": "true",
		"address": map[string]any{"country": "FR", "locality": 7.0, "planet": "earth"},
	}
	for _, c := range []struct {
		name   string
		scopes []string
		mapped map[string]any
		want   map[string]any
	}{
		{"no scope, no claim", []string{"openid", "offline_access"}, nil, map[string]any{}},
		{"profile", []string{"openid", "profile"}, nil, map[string]any{"name": "Kim", "updated_at": json.Number("1700000000"), "picture": "https://hq.example/kim.png"}},
		{"e-mail, as verified as theirs", []string{"email"}, nil, map[string]any{"email": "kim@hq.example", "email_verified": true}},
		{"a number whose flag is a text", []string{"phone"}, nil, map[string]any{"phone_number": "+1 555", "phone_number_verified": false}},
		{"address", []string{"address"}, nil, map[string]any{"address": map[string]any{"country": "FR"}}},
		{"mapped claims need no scope", nil, map[string]any{"groups": []any{"logistics"}}, map[string]any{"groups": []any{"logistics"}}},
		{"a mapped claim goes before", []string{"profile"}, map[string]any{"name": "Dr Kim", "picture": "x"},
			map[string]any{"name": "Dr Kim", "updated_at": json.Number("1700000000"), "picture": "x"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			if got := mint.PersonClaims(theirs, c.scopes, c.mapped); !reflect.DeepEqual(got, c.want) {
				t.Errorf("got %v, wanted %v", got, c.want)
			}
		})
	}
	if got := mint.PersonClaims(nil, []string{"profile", "email"}, nil); len(got) != 0 {
		t.Errorf("of nobody: %v", got)
	}
}

func TestA90_AnAddressIsVerifiedOnlyIfItsUpstreamSaysSo(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name   string
		theirs map[string]any
		mapped map[string]any
		want   any
	}{
		{"true", map[string]any{"email": "a@b.example", "email_verified": true}, nil, true},
		{"false", map[string]any{"email": "a@b.example", "email_verified": false}, nil, false},
		{"absent", map[string]any{"email": "a@b.example"}, nil, false},
		{"a text", map[string]any{"email": "a@b.example", "email_verified": "true"}, nil, false},
		{"a number", map[string]any{"email": "a@b.example", "email_verified": json.Number("1")}, nil, false},
		{"verified, but another address was mapped", map[string]any{"email": "a@b.example", "email_verified": true}, map[string]any{"email": "ceo@b.example"}, false},
		{"verified, and the same was mapped", map[string]any{"email": "a@b.example", "email_verified": true}, map[string]any{"email": "a@b.example"}, true},
		{"verified, and no address", map[string]any{"email_verified": true}, nil, nil},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			if got := mint.PersonClaims(c.theirs, []string{"email"}, c.mapped)["email_verified"]; got != c.want {
				t.Errorf("got %v, wanted %v", got, c.want)
			}
		})
	}
}

func TestStandardClaimsAreListedForDiscovery(t *testing.T) {
	t.Parallel()
	all := mint.StandardClaims()
	if !slices.IsSorted(all) || len(all) != 19 || !slices.Contains(all, "email_verified") || slices.Contains(all, "sub") {
		t.Errorf("%d: %v", len(all), all)
	}
}
