package sqlite

import (
	"bufio"
	"context"
	"crypto/sha256"
	"encoding/json"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"sync"
	"testing"
	"time"

	"apostille/broker/store"
)

const raceSignIns = 8 // codes, pending things, refresh tokens with grace and without

func sum(handle string) store.Hash { return sha256.Sum256([]byte(handle)) }

func far() time.Time { return time.Now().Add(time.Hour) }

// signInTally is what one process saw, by the thing that was raced for.
type signInTally struct {
	Codes, Taken, Done, Repeat, DoneHard, ReusedHard map[string]int
	Answers                                          map[string][]string // different ones, by refresh token
	Odd                                              []string            // anything else
}

// raceSignIn uses every thing from 50 callers at once.
func raceSignIn(s *Store, process string) signInTally {
	out := signInTally{
		Codes: map[string]int{}, Taken: map[string]int{}, Done: map[string]int{}, Repeat: map[string]int{},
		DoneHard: map[string]int{}, ReusedHard: map[string]int{}, Answers: map[string][]string{},
	}
	var mu sync.Mutex
	count := func(into map[string]int, id string, hit bool, err error) {
		mu.Lock()
		defer mu.Unlock()
		if err != nil {
			out.Odd = append(out.Odd, err.Error())
		} else if hit {
			into[id]++
		}
	}
	ctx := context.Background()
	rotate := func(id, caller string, grace time.Duration) (store.Rotated, error) {
		r, answer, err := s.Rotate(ctx, store.Rotation{
			Old: sum(id), Client: "portal", Next: store.Refresh{Hash: sum(id + caller), Until: far()}, Answer: []byte(caller), Grace: grace,
		})
		mu.Lock()
		defer mu.Unlock()
		if grace > 0 && !slices.Contains(out.Answers[id], string(answer)) {
			out.Answers[id] = append(out.Answers[id], string(answer))
		}
		return r, err
	}
	for i := range raceSignIns {
		var wg sync.WaitGroup
		id := fmt.Sprint(i)
		for c := range raceCallers {
			caller := fmt.Sprint(process, ".", c)
			wg.Go(func() {
				first, err := s.RedeemCode(ctx, sum("code"+id), store.Family{ID: "raced" + id + caller, Client: "portal", Until: far()}, nil)
				count(out.Codes, id, first, err)
				_, taken, err := s.TakePending(ctx, "login", id)
				count(out.Taken, id, taken, err)
				r, err := rotate("soft"+id, caller, time.Minute)
				count(out.Done, id, r == store.RotationDone, err)
				count(out.Repeat, id, r == store.RotationRepeat, err)
				r, err = rotate("hard"+id, caller, 0)
				count(out.DoneHard, id, r == store.RotationDone, err)
				count(out.ReusedHard, id, r == store.RotationReused, err)
			})
		}
		wg.Wait()
	}
	return out
}

func childRaceSignIn(s *Store) error {
	fmt.Println("ready")
	if _, err := bufio.NewReader(os.Stdin).ReadString('\n'); err != nil {
		return err
	}
	return json.NewEncoder(os.Stdout).Encode(raceSignIn(s, "there"))
}

// R02, A101, A103: two processes on one file use the same codes, refresh tokens and pending things at once.
func TestR02_TwoProcessesShareEverySignIn(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "x.db")
	s := openTest(t, path, nil)
	for i := range raceSignIns {
		for _, err := range []error{
			s.PutCode(t.Context(), store.Code{Hash: sum(fmt.Sprint("code", i)), Until: far()}),
			s.PutPending(t.Context(), "login", fmt.Sprint(i), store.Pending{Value: []byte("x"), Until: far()}),
			beginFamily(s, fmt.Sprint("soft", i)),
			beginFamily(s, fmt.Sprint("hard", i)),
		} {
			if err != nil {
				t.Fatal(err)
			}
		}
	}
	other := startRacer(t, "race sign-in", path)
	other.ready(t)
	fmt.Fprintln(other.stdin)
	ours := raceSignIn(s, "here")
	var theirs signInTally
	if err := json.Unmarshal([]byte(other.result(t)), &theirs); err != nil {
		t.Fatal(err)
	}
	if odd := slices.Concat(ours.Odd, theirs.Odd); len(odd) > 0 {
		t.Errorf("errors: %v", odd)
	}
	t.Logf("first here with %d codes, there with %d", len(ours.Codes), len(theirs.Codes))
	const all = 2 * raceCallers
	for i := range raceSignIns {
		id := fmt.Sprint(i)
		for what, c := range map[string]struct{ got, want int }{
			"codes redeemed":          {ours.Codes[id] + theirs.Codes[id], 1},
			"pending things taken":    {ours.Taken[id] + theirs.Taken[id], 1},
			"rotations":               {ours.Done[id] + theirs.Done[id], 1},
			"repeats":                 {ours.Repeat[id] + theirs.Repeat[id], all - 1},
			"rotations without grace": {ours.DoneHard[id] + theirs.DoneHard[id], 1},
			"reuses without grace":    {ours.ReusedHard[id] + theirs.ReusedHard[id], all - 1},
			"different answers":       {len(union(ours.Answers["soft"+id], theirs.Answers["soft"+id])), 1},
		} {
			if c.got != c.want {
				t.Errorf("%s of %s: %d, want %d", what, id, c.got, c.want)
			}
		}
	}
	wantCoherent(t, s)
}

// beginFamily starts a family of the portal whose refresh token is its ID.
func beginFamily(s *Store, id string) error {
	ctx := context.Background()
	if err := s.PutCode(ctx, store.Code{Hash: sum("code of " + id), Until: far()}); err != nil {
		return err
	}
	f := store.Family{ID: id, Client: "portal", Until: far()}
	first, err := s.RedeemCode(ctx, sum("code of "+id), f, &store.Refresh{Hash: sum(id), Until: far()})
	if err == nil && !first {
		err = fmt.Errorf("the code of %s was not first", id)
	}
	return err
}

func union(a, b []string) []string {
	seen := map[string]bool{}
	for _, x := range slices.Concat(a, b) {
		seen[x] = true
	}
	return slices.Collect(maps.Keys(seen))
}

// wantCoherent: whatever happened, no token has two successors, and nothing refers to what is not there.
func wantCoherent(t *testing.T, s *Store) {
	t.Helper()
	for what, query := range map[string]string{
		"families with two refresh tokens that were not used": `
			SELECT count(*) FROM (SELECT 1 FROM refresh WHERE rotated IS NULL GROUP BY family HAVING count(*) > 1)`,
		"tokens with the same predecessor": `
			SELECT count(*) FROM (SELECT 1 FROM refresh WHERE prev IS NOT NULL GROUP BY prev HAVING count(*) > 1)`,
		"used tokens without a successor": `
			SELECT count(*) FROM refresh r WHERE rotated IS NOT NULL AND NOT EXISTS (SELECT 1 FROM refresh WHERE hash = r.next AND prev = r.hash)`,
		"successors of tokens that were not used": `
			SELECT count(*) FROM refresh n JOIN refresh r ON r.hash = n.prev WHERE r.rotated IS NULL`,
		"tokens without a family":          `SELECT count(*) FROM refresh WHERE family NOT IN (SELECT id FROM families)`,
		"redeemed codes without a family":  `SELECT count(*) FROM codes WHERE family IS NOT NULL AND family NOT IN (SELECT id FROM families)`,
		"families that no code led to":     `SELECT count(*) FROM families WHERE id NOT IN (SELECT family FROM codes WHERE family IS NOT NULL)`,
		"kinds whose count is not the sum": `SELECT count(*) FROM pending_counts c WHERE n <> (SELECT count(*) FROM pendings WHERE kind = c.kind)`,
	} {
		var n int
		if err := s.read.QueryRow(query).Scan(&n); err != nil || n != 0 {
			t.Errorf("%s: %d, error %v", what, n, err)
		}
	}
}
