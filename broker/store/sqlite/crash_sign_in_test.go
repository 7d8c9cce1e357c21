//go:build unix

package sqlite

import (
	"math/rand/v2"
	"strconv"
	"strings"
	"testing"
	"time"

	"apostille/broker/store"
)

// R01: 100 random points of sign-ins, see TestEveryCrashImageHoldsWhatWasAcknowledged.
func TestR01_EveryCrashImageKnowsWhatWasUsed(t *testing.T) {
	t.Parallel()
	images := 100
	if testing.Short() {
		images = 10
	}
	w := startWriter(t, "write sign-in")
	for n := range images {
		time.Sleep(time.Duration(rand.IntN(20_000)) * time.Microsecond) // where the crash hits; nothing waits for it
		w.pause(t)
		acked := w.acknowledged()
		checkSignIns(t, copyImage(t, w.path), acked) // it waits meanwhile: images that grow with every check would take ever longer
		if t.Failed() {
			t.Fatalf("image %d, after %d acknowledged steps", n, len(acked))
		}
		w.resume(t)
	}
	t.Logf("%d steps were acknowledged meanwhile", len(w.acknowledged()))
}

// R01: the same for a process that is killed, and the file it leaves.
func TestR01_AKilledWriterForgetsNoSignIn(t *testing.T) {
	t.Parallel()
	for range 5 {
		w := startWriter(t, "write sign-in")
		for enough := 1 + rand.IntN(300); len(w.acknowledged()) < enough; time.Sleep(time.Millisecond) {
			select {
			case <-w.done:
				t.Fatal("the writer ended by itself")
			default:
			}
		}
		w.kill(t)
		checkSignIns(t, w.path, w.acknowledged())
	}
}

// checkSignIns opens an image and uses again what was used last, and some of what was used earlier.
func checkSignIns(t *testing.T, path string, acked []string) {
	t.Helper()
	s, err := open(t.Context(), path, Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = s.Close() }()
	wantCoherent(t, s)
	check := acked[max(0, len(acked)-24):]
	for range min(8, len(acked)) {
		check = append(check, acked[rand.IntN(len(acked))])
	}
	var ended []string
	for _, line := range check {
		step, id, _ := strings.Cut(line, " ")
		ended = append(ended, useAgain(t, s, step, id)...)
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	again, err := open(t.Context(), path, Options{}) // R03: a restart later
	if err != nil {
		t.Fatal(err)
	}
	defer again.Close()
	for _, id := range ended {
		if f, ok, err := again.Family(t.Context(), id); err != nil || !ok || f.Why != store.WhyReuse {
			t.Errorf("family %s after its reuse and a restart: %v, ended because of %q, error %v", id, ok, f.Why, err)
		}
	}
}

// useAgain does an acknowledged step once more, and returns the families that must have ended by it.
func useAgain(t *testing.T, s *Store, step, id string) (ended []string) {
	t.Helper()
	ctx := t.Context()
	switch step {
	case "taken":
		if _, ok, err := s.TakePending(ctx, "login", id); ok || err != nil {
			t.Errorf("pending thing %s was taken, and is there again: %v, error %v", id, ok, err)
		}
	case "redeemed":
		first, err := s.RedeemCode(ctx, sum("code of "+id), store.Family{ID: "again", Client: "portal", Until: far()}, nil)
		if first || err != nil {
			t.Errorf("the code of %s was redeemed, and lives again: first = %v, error %v", id, first, err)
		}
		return []string{id}
	case "rotated": // "ID/N": the token of generation N was used
		family, n, _ := strings.Cut(id, "/")
		g, err := strconv.Atoi(n)
		if err != nil {
			t.Fatal(err)
		}
		if _, _, ok, err := s.Refresh(ctx, sum(generation(family, g+1))); !ok || err != nil {
			t.Errorf("the successor of %s was acknowledged and is gone: error %v", id, err)
		}
		out, _, err := s.Rotate(ctx, store.Rotation{
			Old: sum(generation(family, g)), Client: "portal", Next: store.Refresh{Hash: sum("stolen " + id), Until: far()},
		})
		if out != store.RotationReused || err != nil {
			t.Errorf("token %s was used, and its reuse is outcome %d, error %v", id, out, err)
		}
		return []string{family}
	default:
		t.Errorf("the writer says %q", step)
	}
	return nil
}
