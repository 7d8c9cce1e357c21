package main

import (
	"fmt"
	"io"
	"strconv"
	"time"

	"apostille/broker/config"
	"apostille/broker/logout"
	"apostille/broker/store"

	"github.com/spf13/cobra"
)

// logoutView is what one application heard of one session that ended.
type logoutView struct {
	Session  string    `json:"session"`
	Client   string    `json:"client"`
	Ended    time.Time `json:"ended"`
	State    string    `json:"state"`
	Attempts int       `json:"attempts"`
	Next     time.Time `json:"next,omitzero"` // attempt
	Error    string    `json:"error,omitempty"`
}

func (a *app) sessionLogoutsCommand() *cobra.Command {
	var id string
	cmd := &cobra.Command{
		Use:   "logouts",
		Short: "List what applications answered when sessions ended",
		Long: fmt.Sprintf(`Lists the back-channel logouts of the last day, the newest first, at most %d: %s (nobody was asked yet), %s (it did not answer
as it should, and is asked again), %s (it says that the session is over there), %s (after six attempts). What an
application was asked in the browser is not here: nobody learns what came of it.`,
			maxSessions, logout.StateQueued, logout.StateTrying, logout.StateConfirmed, logout.StateGivenUp),
		Example: `  apostille session logouts
  apostille session logouts --id 9fGk… --output json`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			return a.withStore(cmd.Context(), func(_ *config.Config, st store.Store) error {
				list, err := st.ListDeliveries(cmd.Context(), id, maxSessions)
				if err != nil {
					return err
				}
				return a.showLogouts(list)
			})
		},
	}
	cmd.Flags().StringVar(&id, "id", "", "of the session of this ID only, as list prints it")
	return cmd
}

func (a *app) showLogouts(list []store.Delivery) error {
	all := []logoutView{}
	rows := [][]string{{"SESSION", "CLIENT", "ENDED", "STATE", "ATTEMPTS", "ERROR"}}
	for _, d := range list {
		v := logoutView{Session: d.Session, Client: d.Client, Ended: d.Created, State: logout.StateOf(d), Attempts: d.Attempts, Error: d.Error}
		if v.State == logout.StateQueued || v.State == logout.StateTrying {
			v.Next = d.NextAt
		}
		all = append(all, v)
		rows = append(rows, []string{v.Session, v.Client, stamp(v.Ended), v.State, strconv.Itoa(v.Attempts), v.Error})
	}
	return a.print(all, func(w io.Writer) {
		if len(all) == 0 {
			fmt.Fprintln(w, "no application was to be told of a logout in the last day")
			return
		}
		table(w, rows)
	})
}
