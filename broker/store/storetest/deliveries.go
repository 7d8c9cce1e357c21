package storetest

import (
	"errors"
	"fmt"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"apostille/broker/store"
)

func testDeliveries(t *testing.T, open Open) {
	now := NewClock().Now()
	first := store.Delivery{
		ID: "d1", Client: "portal", URI: "https://portal.west.hmart.example/logout", Sub: "alice", SID: "sid", Session: "s1",
		Created: now, NextAt: now,
	}
	second, later := first, first
	second.ID, second.Session, second.Created, second.NextAt = "d2", "s2", now.Add(time.Second), time.Time{}
	later.ID, later.Created, later.NextAt = "d3", now.Add(2*time.Second), now.Add(time.Minute)
	want := func(t *testing.T, got []store.Delivery, err error, want ...store.Delivery) {
		t.Helper()
		must(t, err)
		if d := cmp.Diff(want, got); d != "" && len(want)+len(got) > 0 {
			t.Errorf("deliveries differ (-want +got):\n%s", d)
		}
	}
	leased := func(d store.Delivery, until time.Time) store.Delivery { d.NextAt = until; return d }
	cases(t, open, map[string]func(*testing.T, *fixture){
		"those that are due are leased, the others wait": func(t *testing.T, f *fixture) {
			must(t, f.PutDeliveries(t.Context(), []store.Delivery{first, second, later}))
			must(t, f.PutDeliveries(t.Context(), nil))
			lease := now.Add(30 * time.Second)
			got, err := f.DueDeliveries(t.Context(), lease, 10)
			want(t, got, err, leased(first, lease), leased(second, lease))
			got, err = f.reopen().DueDeliveries(t.Context(), lease, 10)
			want(t, got, err)
			f.clock.Add(30 * time.Second)
			lease = now.Add(time.Minute)
			got, err = f.DueDeliveries(t.Context(), lease, 1)
			must(t, err)
			if len(got) != 1 {
				t.Errorf("%d deliveries, want the limit of 1", len(got))
			}
			f.clock.Add(30 * time.Second)
			got, err = f.DueDeliveries(t.Context(), now.Add(time.Hour), 10)
			must(t, err)
			if len(got) != 3 {
				t.Errorf("%d deliveries, want 3", len(got))
			}
		},
		"an outcome is kept, after a restart, and what is done or failed is not due": func(t *testing.T, f *fixture) {
			must(t, f.PutDeliveries(t.Context(), []store.Delivery{first, second, later}))
			done, failed := first, second
			done.Attempts, done.Done = 1, now
			failed.Attempts, failed.Failed, failed.Error = 5, now, "timeout"
			must(t, f.UpdateDelivery(t.Context(), done))
			must(t, f.UpdateDelivery(t.Context(), failed))
			must(t, f.Close())
			again := f.reopen()
			f.clock.Add(time.Hour)
			lease := f.clock.Now().Add(time.Minute)
			got, err := again.DueDeliveries(t.Context(), lease, 10)
			want(t, got, err, leased(later, lease))
			got, err = again.ListDeliveries(t.Context(), "", 10)
			want(t, got, err, leased(later, lease), failed, done)
			got, err = again.ListDeliveries(t.Context(), "s1", 10)
			want(t, got, err, leased(later, lease), done)
			got, err = again.ListDeliveries(t.Context(), "", 1)
			want(t, got, err, leased(later, lease))
			got, err = again.ListDeliveries(t.Context(), "unknown", 10)
			want(t, got, err)
		},
		"what cannot be kept is refused, the whole list": func(t *testing.T, f *fixture) {
			must(t, f.PutDeliveries(t.Context(), []store.Delivery{first}))
			for name, list := range map[string][]store.Delivery{
				"no ID": {second, {}}, "twice": {second, second}, "one that exists": {second, first},
			} {
				if err := f.PutDeliveries(t.Context(), list); !errors.Is(err, store.ErrInvalid) {
					t.Errorf("%s: error %v, want ErrInvalid", name, err)
				}
			}
			got, err := f.ListDeliveries(t.Context(), "", 10)
			want(t, got, err, first)
			if err := f.UpdateDelivery(t.Context(), second); !errors.Is(err, store.ErrInvalid) {
				t.Errorf("an update of none: error %v, want ErrInvalid", err)
			}
			if _, err := f.DueDeliveries(t.Context(), now, 10); !errors.Is(err, store.ErrInvalid) {
				t.Errorf("a lease that is over: error %v, want ErrInvalid", err)
			}
		},
		"callers on two handles never lease one delivery twice (R02)": func(t *testing.T, f *fixture) {
			var list []store.Delivery
			for i := range 40 {
				d := first
				d.ID = fmt.Sprint(i)
				list = append(list, d)
			}
			must(t, f.PutDeliveries(t.Context(), list))
			handles := []store.Store{f, f.reopen()}
			var mu sync.Mutex
			var got []string
			inParallel(20, func(i int) {
				due, err := handles[i%2].DueDeliveries(t.Context(), now.Add(time.Hour), 3)
				if err != nil {
					t.Error(err)
				}
				mu.Lock()
				defer mu.Unlock()
				for _, d := range due {
					got = append(got, d.ID)
				}
			})
			slices.Sort(got)
			if len(got) != 40 || len(slices.Compact(got)) != 40 {
				t.Errorf("%d leased: %v", len(got), got)
			}
		},
	})
}
