package family

import (
	"errors"
	"sync"

	"apostille/broker/store"
)

// flights lets one caller work for all who want the same at the same time: an upstream's refresh token may be good for one use.
type flights struct {
	mu    sync.Mutex
	under map[store.Hash]*flight
}

type flight struct {
	done  chan struct{}
	given given
	err   error
}

func (s *flights) do(key store.Hash, work func() (given, error)) (given, error) {
	s.mu.Lock()
	if f, ok := s.under[key]; ok {
		s.mu.Unlock()
		<-f.done
		return f.given, f.err
	}
	f := &flight{done: make(chan struct{}), err: errors.New("family: the work for this answer panicked")}
	if s.under == nil {
		s.under = map[store.Hash]*flight{}
	}
	s.under[key] = f
	s.mu.Unlock()
	defer func() {
		s.mu.Lock()
		delete(s.under, key)
		s.mu.Unlock()
		close(f.done)
	}()
	f.given, f.err = work()
	return f.given, f.err
}
