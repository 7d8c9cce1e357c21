package memory_test

import (
	"errors"
	"fmt"
	"testing"
	"time"

	"apostille/broker/store"
	"apostille/broker/store/memory"
	"apostille/broker/store/storetest"
)

func TestStore(t *testing.T) {
	t.Parallel()
	storetest.Run(t, func(_ *testing.T, now func() time.Time) (store.Store, func() store.Store) {
		s := memory.New(memory.Options{Now: now})
		return s, func() store.Store { return s.Share() }
	})
}

func TestClaimIsBounded(t *testing.T) {
	t.Parallel()
	clock := storetest.NewClock()
	s := memory.New(memory.Options{Now: clock.Now, MaxMarks: 3})
	claim := func(id string) (bool, error) {
		return s.Claim(t.Context(), "jti", "i", id, clock.Now().Add(time.Minute))
	}
	for i := range 3 {
		if first, err := claim(fmt.Sprint(i)); err != nil || !first {
			t.Fatalf("claim %d: first = %v, error %v", i, first, err)
		}
	}
	if first, err := claim("one too many"); first || !errors.Is(err, store.ErrFull) {
		t.Errorf("a full map: first = %v, error %v; want ErrFull", first, err)
	}
	if first, err := claim("0"); first || err != nil {
		t.Errorf("a known mark in a full map: first = %v, error %v; want false", first, err)
	}
	clock.Add(2 * time.Minute)
	if first, err := claim("one too many"); !first || err != nil {
		t.Errorf("after the others expired: first = %v, error %v; want true", first, err)
	}
}

func TestPendingsAreBounded(t *testing.T) {
	t.Parallel()
	storetest.Bounded(t, func(_ *testing.T, now func() time.Time) (store.Store, func() store.Store) {
		s := memory.New(memory.Options{Now: now, MaxPending: 3})
		return s, func() store.Store { return s.Share() }
	})
}
