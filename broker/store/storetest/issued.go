package storetest

import (
	"errors"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"apostille/broker/store"
)

func wantRevoked(t *testing.T, s store.Issued, jti, family string, want bool) {
	t.Helper()
	got, err := s.TokenRevoked(t.Context(), jti, family)
	if err != nil || got != want {
		t.Errorf("token %q of family %q: revoked = %v, error %v; want %v", jti, family, got, err, want)
	}
}

func testIssued(t *testing.T, open Open) {
	cases(t, open, map[string]func(*testing.T, *fixture){
		"an opaque token comes back until its time is over": func(t *testing.T, f *fixture) {
			want := store.Opaque{Hash: hash("o"), Family: "f", Claims: []byte(`{"sub":"alice"}`), Until: f.clock.Now().Add(time.Minute)}
			must(t, f.PutOpaque(t.Context(), want))
			got, ok, err := f.reopen().Opaque(t.Context(), hash("o"))
			if d := cmp.Diff(want, got); d != "" || !ok || err != nil {
				t.Errorf("%v, error %v, differs:\n%s", ok, err, d)
			}
			if err := f.PutOpaque(t.Context(), want); !errors.Is(err, store.ErrInvalid) {
				t.Errorf("a second put: error %v, want ErrInvalid", err)
			}
			if err := f.PutOpaque(t.Context(), store.Opaque{Hash: hash("p")}); !errors.Is(err, store.ErrInvalid) {
				t.Errorf("without an end: error %v, want ErrInvalid", err)
			}
			f.clock.Add(time.Minute)
			for _, handle := range []string{"o", "unknown"} {
				if _, ok, err := f.Opaque(t.Context(), hash(handle)); ok || err != nil {
					t.Errorf("%s: %v, error %v", handle, ok, err)
				}
			}
		},
		"a revoked token stays revoked, after a restart": func(t *testing.T, f *fixture) {
			until := f.clock.Now().Add(time.Hour)
			wantRevoked(t, f, "a", "", false)
			must(t, f.RevokeToken(t.Context(), "a", until))
			must(t, f.RevokeToken(t.Context(), "a", until.Add(-30*time.Minute))) // shortens nothing
			must(t, f.Close())
			again := f.reopen()
			f.clock.Add(45 * time.Minute)
			claim(t, again, "sweeping rides on writes", f.clock.Now().Add(time.Minute), true)
			wantRevoked(t, again, "a", "", true)
			wantRevoked(t, again, "b", "", false)
		},
		"a revocation without a jti or an end is refused": func(t *testing.T, f *fixture) {
			for jti, until := range map[string]time.Time{"": f.clock.Now().Add(time.Hour), "a": {}} {
				if err := f.RevokeToken(t.Context(), jti, until); !errors.Is(err, store.ErrInvalid) {
					t.Errorf("%q: error %v, want ErrInvalid", jti, err)
				}
			}
		},
		"a revocation that was not stored is an error (A104)": func(t *testing.T, f *fixture) {
			other := f.reopen()
			must(t, f.Close())
			if err := f.RevokeToken(t.Context(), "a", f.clock.Now().Add(time.Hour)); err == nil {
				t.Error("no error")
			}
			if _, err := f.EndFamilies(t.Context(), store.FamilyQuery{ID: "f"}, "revoked"); err == nil {
				t.Error("no error from EndFamilies")
			}
			if _, err := f.TokenRevoked(t.Context(), "a", ""); err == nil {
				t.Error("no error from TokenRevoked")
			}
			wantRevoked(t, other, "a", "", false)
		},
		"a token goes with its family": func(t *testing.T, f *fixture) {
			begin(t, f, family(f, "ended"))
			begin(t, f, family(f, "over"))
			wantRevoked(t, f, "a", "ended", false)
			wantRevoked(t, f, "a", "", false)
			wantRevoked(t, f, "a", "unknown", true)
			_, err := f.EndFamilies(t.Context(), store.FamilyQuery{ID: "ended"}, "revoked")
			must(t, err)
			wantRevoked(t, f.reopen(), "a", "ended", true)
			wantRevoked(t, f, "a", "over", false)
			must(t, f.RevokeToken(t.Context(), "b", f.clock.Now().Add(time.Hour)))
			wantRevoked(t, f, "b", "over", true)
			f.clock.Add(time.Hour)
			wantRevoked(t, f, "a", "over", true)
		},
	})
}
