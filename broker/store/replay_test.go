package store_test

import (
	"encoding/hex"
	"errors"
	"strings"
	"testing"

	"apostille/broker/store"
)

func TestNewReplayMark(t *testing.T) {
	t.Parallel()
	t.Run("is the same in every release, so that an upgrade forgets no mark", func(t *testing.T) {
		t.Parallel()
		m, err := store.NewReplayMark("jti", "https://idp.hq.hmart.example", "4711")
		if err != nil {
			t.Fatal(err)
		}
		const want = "1e19017e89cec25d78713c9c28efaa39552bb9f838922a92ccf2bd59643929ce"
		if got := hex.EncodeToString(m[:]); got != want {
			t.Errorf("mark %s, want %s", got, want)
		}
	})
	t.Run("differs for triples whose joined text is equal", func(t *testing.T) {
		t.Parallel()
		triples := [][3]string{
			{"jti", "ab", "c"}, {"jti", "a", "bc"}, {"jtia", "b", "c"}, {"jti", "", "abc"},
			{"jti", "a\x00b", "c"}, {"jti", "a", "\x00bc"}, {"jti\x00a", "b", "c"},
			{"code", "ab", "c"}, {"jti", "ab", "C"}, {"jti", "ab", "c\xff"},
		}
		seen := map[store.ReplayMark][3]string{}
		for _, tr := range triples {
			m, err := store.NewReplayMark(tr[0], tr[1], tr[2])
			if err != nil {
				t.Fatal(err)
			}
			if other, ok := seen[m]; ok {
				t.Errorf("%q and %q share a mark", tr, other)
			}
			seen[m] = tr
		}
	})
	t.Run("needs a kind and an id, and no issuer", func(t *testing.T) {
		t.Parallel()
		for _, tr := range [][3]string{{"", "i", "x"}, {"jti", "i", ""}} {
			if _, err := store.NewReplayMark(tr[0], tr[1], tr[2]); !errors.Is(err, store.ErrInvalid) {
				t.Errorf("%q: error %v, want ErrInvalid", tr, err)
			}
		}
		if _, err := store.NewReplayMark("jti", "", "x"); err != nil {
			t.Errorf("without issuer: %v", err)
		}
	})
}

func TestCheckKeys(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		list []store.Key
		want string
	}{
		"different IDs pass":       {[]store.Key{{ID: "a"}, {ID: "b"}}, ""},
		"an empty list passes":     {nil, ""},
		"an empty ID is refused":   {[]store.Key{{ID: "a"}, {}}, "without an ID"},
		"a repeated ID is refused": {[]store.Key{{ID: "a"}, {ID: "b"}, {ID: "a"}}, `"a"`},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			err := store.CheckKeys(c.list)
			if c.want == "" {
				if err != nil {
					t.Fatal(err)
				}
				return
			}
			if !errors.Is(err, store.ErrInvalid) || !strings.Contains(err.Error(), c.want) {
				t.Fatalf("error %v, want ErrInvalid with %q", err, c.want)
			}
		})
	}
}
