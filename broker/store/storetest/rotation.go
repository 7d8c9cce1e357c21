package storetest

import (
	"errors"
	"fmt"
	"sync"
	"testing"
	"time"

	"apostille/broker/store"
)

// rotation has the portal rotate one handle into another.
func rotation(f *fixture, old, next string, grace time.Duration) store.Rotation {
	return rotationOf(f, "portal", old, next, grace)
}

func rotationOf(f *fixture, client, old, next string, grace time.Duration) store.Rotation {
	return store.Rotation{
		Old: hash(old), Client: client, Next: store.Refresh{Hash: hash(next), Until: f.clock.Now().Add(30 * time.Minute)},
		Answer: []byte("answer to " + old), Grace: grace,
	}
}

func wantRotation(t *testing.T, s store.Families, r store.Rotation, want store.Rotated, answer string) {
	t.Helper()
	out, got, err := s.Rotate(t.Context(), r)
	if err != nil || out != want || string(got) != answer {
		t.Errorf("%q: outcome %d, answer %q, error %v; want %d, %q", r.Answer, out, got, err, want, answer)
	}
}

const grace = 10 * time.Second

func testRotation(t *testing.T, open Open) {
	t.Run("concurrency", func(t *testing.T) { testConcurrentRotation(t, open) })
	t.Run("refusals", func(t *testing.T) { testRotationRefused(t, open) })
	cases(t, open, map[string]func(*testing.T, *fixture){
		"a chain of rotations goes on, in the same second too (A103)": func(t *testing.T, f *fixture) {
			begin(t, f, family(f, "f"))
			for i := range 5 {
				wantRotation(t, f, rotation(f, fmt.Sprint("f-", i), fmt.Sprint("f-", i+1), grace), store.RotationDone, fmt.Sprint("answer to f-", i))
			}
			again := f.reopen()
			last, fam, ok, err := again.Refresh(t.Context(), hash("f-5"))
			if err != nil || !ok || fam.ID != "f" || last.Used {
				t.Errorf("the last: %v, family %q, used %v, error %v", ok, fam.ID, last.Used, err)
			}
			if before, _, ok, err := again.Refresh(t.Context(), hash("f-4")); err != nil || !ok || !before.Used {
				t.Errorf("the one before: %v, used %v, error %v", ok, before.Used, err)
			}
			wantFamily(t, f, "f", "")
		},
		"a repeat within grace gets the first answer and makes no successor": func(t *testing.T, f *fixture) {
			begin(t, f, family(f, "f"))
			wantRotation(t, f, rotation(f, "f-0", "f-1", grace), store.RotationDone, "answer to f-0")
			f.clock.Add(grace - time.Microsecond)
			again := rotation(f, "f-0", "f-1b", grace)
			again.Answer = []byte("another")
			wantRotation(t, f, again, store.RotationRepeat, "answer to f-0")
			if _, _, ok, err := f.Refresh(t.Context(), hash("f-1b")); ok || err != nil {
				t.Errorf("a second successor: %v, error %v", ok, err)
			}
			wantRotation(t, f, rotation(f, "f-1", "f-2", grace), store.RotationDone, "answer to f-1")
		},
		"grace counts from the first rotation": func(t *testing.T, f *fixture) {
			begin(t, f, family(f, "f"))
			wantRotation(t, f, rotation(f, "f-0", "f-1", grace), store.RotationDone, "answer to f-0")
			f.clock.Add(grace / 2)
			wantRotation(t, f, rotation(f, "f-0", "x", grace), store.RotationRepeat, "answer to f-0")
			f.clock.Add(grace / 2)
			wantRotation(t, f, rotation(f, "f-0", "y", grace), store.RotationReused, "")
			wantFamily(t, f, "f", store.WhyReuse)
		},
		"a repeat after the successor was used ends the family": func(t *testing.T, f *fixture) {
			begin(t, f, family(f, "f"))
			wantRotation(t, f, rotation(f, "f-0", "f-1", grace), store.RotationDone, "answer to f-0")
			wantRotation(t, f, rotation(f, "f-1", "f-2", grace), store.RotationDone, "answer to f-1")
			wantRotation(t, f, rotation(f, "f-0", "x", grace), store.RotationReused, "")
			wantFamily(t, f, "f", store.WhyReuse)
			wantRotation(t, f, rotation(f, "f-2", "f-3", grace), store.RotationReused, "")
		},
		"without grace a repeat ends the family (A103)": func(t *testing.T, f *fixture) {
			for i, graces := range [][2]time.Duration{{0, 0}, {0, grace}, {grace, 0}} { // of the first call, of the second
				id := fmt.Sprint("f", i)
				begin(t, f, family(f, id))
				wantRotation(t, f, rotation(f, id+"-0", id+"-1", graces[0]), store.RotationDone, "answer to "+id+"-0")
				wantRotation(t, f, rotation(f, id+"-0", id+"-x", graces[1]), store.RotationReused, "")
				wantFamily(t, f, id, store.WhyReuse)
				wantRotation(t, f, rotation(f, id+"-1", id+"-2", grace), store.RotationReused, "")
			}
		},
		"a restart keeps the answer within grace and sees the reuse after it (R03)": func(t *testing.T, f *fixture) {
			begin(t, f, family(f, "f"))
			wantRotation(t, f, rotation(f, "f-0", "f-1", grace), store.RotationDone, "answer to f-0")
			must(t, f.Close())
			again := f.reopen()
			wantRotation(t, again, rotation(f, "f-0", "x", grace), store.RotationRepeat, "answer to f-0")
			must(t, again.Close())
			f.clock.Add(grace)
			again = f.reopen()
			wantRotation(t, again, rotation(f, "f-0", "x", grace), store.RotationReused, "")
			must(t, again.Close())
			wantRotation(t, f.reopen(), rotation(f, "f-1", "f-2", grace), store.RotationReused, "")
		},
		"reuse is seen for as long as the token would have lived": func(t *testing.T, f *fixture) {
			fam := family(f, "f")
			fam.Until = f.clock.Now().Add(90 * 24 * time.Hour)
			begin(t, f, fam)
			r := rotation(f, "f-0", "f-1", grace)
			r.Next.Until = fam.Until
			wantRotation(t, f, r, store.RotationDone, "answer to f-0")
			for range 80 {
				f.clock.Add(24 * time.Hour)
				claim(t, f, f.clock.Now().String(), f.clock.Now().Add(time.Minute), true) // sweeping rides on writes
			}
			wantRotation(t, f, rotation(f, "f-0", "x", grace), store.RotationReused, "")
		},
	})
}

func testRotationRefused(t *testing.T, open Open) {
	cases(t, open, map[string]func(*testing.T, *fixture){
		"a token of another client, unknown, over, or of a family that ended or is over, changes nothing (A100)": func(t *testing.T, f *fixture) {
			for _, id := range []string{"f", "ended", "over"} {
				fam := family(f, id)
				if id == "over" {
					fam.Until = f.clock.Now().Add(20 * time.Minute)
				}
				begin(t, f, fam)
			}
			must(t, f.PutCode(t.Context(), store.Code{Hash: hash("idle"), Until: f.clock.Now().Add(time.Minute)}))
			idle := family(f, "idle")
			_, err := f.RedeemCode(t.Context(), hash("idle"), idle, &store.Refresh{Hash: hash("idle-0"), Until: f.clock.Now().Add(20 * time.Minute)})
			must(t, err)
			_, err = f.EndFamilies(t.Context(), store.FamilyQuery{ID: "ended"}, "revoked")
			must(t, err)
			f.clock.Add(20 * time.Minute)
			wantRotation(t, f, rotationOf(f, "other", "f-0", "x", grace), store.RotationUnknown, "")
			for _, old := range []string{"never issued", "ended-0", "over-0", "idle-0"} {
				wantRotation(t, f, rotation(f, old, "x", grace), store.RotationUnknown, "")
			}
			wantFamily(t, f, "ended", "revoked")
			wantFamily(t, f, "idle", "")
			wantRotation(t, f, rotation(f, "f-0", "f-1", grace), store.RotationDone, "answer to f-0")
		},
		"another client's use of a spent token neither gets its answer nor ends the family (A100)": func(t *testing.T, f *fixture) {
			begin(t, f, family(f, "f"))
			wantRotation(t, f, rotation(f, "f-0", "f-1", grace), store.RotationDone, "answer to f-0")
			wantRotation(t, f, rotationOf(f, "other", "f-0", "x", grace), store.RotationUnknown, "")
			f.clock.Add(time.Minute)
			wantRotation(t, f, rotationOf(f, "other", "f-0", "x", grace), store.RotationUnknown, "")
			wantFamily(t, f, "f", "")
		},
		"a successor that cannot be kept is refused and consumes nothing": func(t *testing.T, f *fixture) {
			begin(t, f, family(f, "f"))
			begin(t, f, family(f, "g"))
			taken, endless, foreign := rotation(f, "f-0", "g-0", grace), rotation(f, "f-0", "x", grace), rotation(f, "f-0", "x", grace)
			endless.Next.Until, foreign.Next.Family = time.Time{}, "g"
			for name, r := range map[string]store.Rotation{"taken": taken, "endless": endless, "foreign": foreign, "itself": rotation(f, "f-0", "f-0", grace)} {
				if out, _, err := f.Rotate(t.Context(), r); out != store.RotationUnknown || !errors.Is(err, store.ErrInvalid) {
					t.Errorf("%s: outcome %d, error %v; want ErrInvalid", name, out, err)
				}
			}
			wantRotation(t, f, rotation(f, "f-0", "f-1", grace), store.RotationDone, "answer to f-0")
		},
	})
}

// storm presents f-0 100 times at once on two handles, each with a successor and an answer of its own.
func storm(t *testing.T, f *fixture, id string, grace time.Duration) (outcomes map[store.Rotated]int, answers map[string]int, successors int) {
	t.Helper()
	handles := []store.Store{f, f.reopen()}
	outcomes, answers = map[store.Rotated]int{}, map[string]int{}
	var mu sync.Mutex
	inParallel(100, func(i int) {
		r := rotation(f, id+"-0", fmt.Sprint(id, "-next-", i), grace)
		r.Answer = fmt.Append(nil, "answer ", i)
		out, answer, err := handles[i%2].Rotate(t.Context(), r)
		if err != nil {
			t.Error(err)
		}
		mu.Lock()
		defer mu.Unlock()
		outcomes[out]++
		answers[string(answer)]++
	})
	for i := range 100 {
		_, _, ok, err := f.Refresh(t.Context(), hash(fmt.Sprint(id, "-next-", i)))
		if err != nil {
			t.Error(err)
		} else if ok {
			successors++
		}
	}
	return outcomes, answers, successors
}

func testConcurrentRotation(t *testing.T, open Open) {
	cases(t, open, map[string]func(*testing.T, *fixture){
		"100 parallel uses within grace: one rotation, 99 repeats with its answer, one successor (A103, R02)": func(t *testing.T, f *fixture) {
			begin(t, f, family(f, "f"))
			outcomes, answers, successors := storm(t, f, "f", grace)
			if outcomes[store.RotationDone] != 1 || outcomes[store.RotationRepeat] != 99 || len(answers) != 1 || successors != 1 {
				t.Errorf("outcomes %v, %d different answers, %d successors", outcomes, len(answers), successors)
			}
			wantFamily(t, f, "f", "")
		},
		"100 parallel uses without grace: one rotation, and the family ends (A103, R02)": func(t *testing.T, f *fixture) {
			begin(t, f, family(f, "f"))
			outcomes, _, successors := storm(t, f, "f", 0)
			if outcomes[store.RotationDone] != 1 || outcomes[store.RotationReused] != 99 || successors != 1 {
				t.Errorf("outcomes %v, %d successors", outcomes, successors)
			}
			wantFamily(t, f, "f", store.WhyReuse)
		},
	})
}
