package sqlite

import (
	"context"
	"fmt"
	"strconv"
	"sync/atomic"

	"apostille/broker/store"
)

// generation names the refresh token that a family has after n rotations.
func generation(family string, n int) string {
	if n == 0 {
		return family
	}
	return family + "/" + strconv.Itoa(n)
}

// childWriteSignIn signs in without end, from 8 callers, and prints each step once it is acknowledged.
func childWriteSignIn(s *Store) error {
	var next atomic.Int64
	acks := make(chan string)
	failed := make(chan error)
	for range 8 {
		go func() {
			for {
				if err := signInOnce(s, fmt.Sprint("f", next.Add(1)), acks); err != nil {
					failed <- err
					return
				}
			}
		}()
	}
	for {
		select {
		case line := <-acks:
			if _, err := fmt.Println(line); err != nil {
				return err
			}
		case err := <-failed:
			return err
		}
	}
}

// signInOnce is a login, a code, and three refreshes.
func signInOnce(s *Store, id string, acks chan<- string) error {
	ctx := context.Background()
	if err := s.PutPending(ctx, "login", id, store.Pending{Value: []byte("x"), Until: far()}); err != nil {
		return err
	}
	if _, ok, err := s.TakePending(ctx, "login", id); err != nil || !ok {
		return fmt.Errorf("take %s: %v, error %w", id, ok, err)
	}
	acks <- "taken " + id
	if err := beginFamily(s, id); err != nil {
		return err
	}
	acks <- "redeemed " + id
	for n := range 3 {
		out, _, err := s.Rotate(ctx, store.Rotation{
			Old: sum(generation(id, n)), Client: "portal", Next: store.Refresh{Hash: sum(generation(id, n+1)), Until: far()},
			Answer: []byte("sealed"), Grace: 0,
		})
		if err != nil || out != store.RotationDone {
			return fmt.Errorf("rotate %s: outcome %d, error %w", id, out, err)
		}
		acks <- fmt.Sprintf("rotated %s/%d", id, n)
	}
	return nil
}
