package jose

import (
	"fmt"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestLookupReturnsTheKeysWorthTrying(t *testing.T) {
	t.Parallel()
	key := func(kid string, algs ...Alg) Key { return Key{ID: kid, Algs: algs} }
	many := func(kid string, n int) (keys []Key) {
		for i := range n {
			if k := key(kid, ES256); kid == "" {
				keys = append(keys, k)
			} else {
				k.ID = fmt.Sprint(kid, i)
				keys = append(keys, k)
			}
		}
		return keys
	}
	for name, c := range map[string]struct {
		set  *Set
		kid  string
		alg  Alg
		want []string
	}{
		"the key with the kid":                           {NewSet(key("a", ES256), key("b", ES256)), "a", ES256, []string{"a"}},
		"none for another kid":                           {NewSet(key("a", ES256)), "b", ES256, nil},
		"none for the kid in another case":               {NewSet(key("a", ES256)), "A", ES256, nil},
		"none for the kid with another alg":              {NewSet(key("a", ES256)), "a", RS256, nil},
		"a key of several algs for each":                 {NewSet(key("a", RS256, PS256)), "a", PS256, []string{"a"}},
		"the key with the kid, then those without":       {NewSet(key("", ES256), key("a", ES256)), "a", ES256, []string{"a", ""}},
		"those without for an unknown kid":               {NewSet(key("", ES256), key("a", ES256)), "b", ES256, []string{""}},
		"those without, of the alg only":                 {NewSet(key("", ES256), key("", RS256)), "b", RS256, []string{""}},
		"a kid of another alg does not hide those":       {NewSet(key("a", RS256), key("", ES256)), "a", ES256, []string{""}},
		"no more than four without":                      {NewSet(many("", 5)...), "b", ES256, nil},
		"four without":                                   {NewSet(many("", 4)...), "b", ES256, []string{"", "", "", ""}},
		"all keys of the alg for a token without kid":    {NewSet(key("a", ES256), key("b", ES256), key("c", RS256)), "", ES256, []string{"a", "b"}},
		"four keys for a token without kid":              {NewSet(many("k", 4)...), "", ES256, []string{"k0", "k1", "k2", "k3"}},
		"none of five for a token without kid":           {NewSet(many("k", 5)...), "", ES256, nil},
		"none of an empty set":                           {NewSet(), "", ES256, nil},
		"none of a zero set":                             {&Set{}, "a", ES256, nil},
		"none of a nil set":                              {nil, "a", ES256, nil},
		"the key with the kid among hundred":             {NewSet(many("k", 100)...), "k77", ES256, []string{"k77"}},
		"no key that has no algorithm at all":            {NewSet(key("a")), "a", ES256, nil},
		"the key with the kid beside a crowd without":    {NewSet(append(many("", 5), key("a", ES256))...), "a", ES256, []string{"a"}},
		"none without kid from a crowd that hides a key": {NewSet(append(many("", 5), key("a", ES256))...), "", ES256, nil},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var got []string
			for _, k := range c.set.Lookup(c.kid, c.alg) {
				got = append(got, k.ID)
			}
			if diff := cmp.Diff(c.want, got); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func TestLookupAllocatesNothing(t *testing.T) {
	set := NewSet(Key{ID: "a", Algs: []Alg{ES256}}, Key{Algs: []Alg{ES256}})
	if n := testing.AllocsPerRun(100, func() { set.Lookup("a", ES256); set.Lookup("b", ES256); set.Lookup("", ES256) }); n != 0 {
		t.Errorf("%v allocations", n)
	}
}

func TestASetDoesNotFollowItsCallersSlice(t *testing.T) {
	t.Parallel()
	keys := []Key{{ID: "a", Algs: []Alg{ES256}}}
	set := NewSet(keys...)
	keys[0].ID = "b"
	if got := set.Keys()[0].ID; got != "a" {
		t.Errorf("key became %q", got)
	}
}
