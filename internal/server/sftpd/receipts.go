package sftpd

import (
	"sync"
	"time"
)

// keepAlive is a request that every client has to answer, if only by saying that it does not
// know it (RFC 4254, 5.4); OpenSSH's server asks it too. Whatever travels in a channel is
// taken in order: whoever answers has taken all that was given before.
const keepAlive = "keepalive@openssh.com"

// patience is how long a file that is being closed waits for the answer.
const patience = 2 * time.Second

// receipts knows how much of what was given to a connection its client has taken. That a
// request arrives proves nothing: clients send requests, and the closing of a file too, ahead
// of the answers that they wait for.
type receipts struct {
	asked chan struct{}

	gate    sync.Mutex
	news    chan struct{} // closed at each change of what follows
	sent    int64         // answers that were given to the connection
	taken   int64         // of those
	ended   bool          // the client will answer nothing any more
	silent  bool          // it has not answered in time: nobody waits for it again until it does
	stopped bool
}

func newReceipts() *receipts {
	return &receipts{asked: make(chan struct{}, 1), news: make(chan struct{})}
}

// gave counts an answer.
func (r *receipts) gave() {
	r.gate.Lock()
	defer r.gate.Unlock()
	r.sent++
}

// given returns how many answers were given.
func (r *receipts) given() int64 {
	r.gate.Lock()
	defer r.gate.Unlock()
	return r.sent
}

// ask has the client asked soon; it does not wait.
func (r *receipts) ask() {
	r.gate.Lock()
	defer r.gate.Unlock()
	if r.stopped {
		return
	}
	select {
	case r.asked <- struct{}{}:
	default: // it will be asked anyway
	}
}

// run asks by a call that returns when the client has answered, with an error once it never
// will.
func (r *receipts) run(request func() error) {
	for range r.asked {
		given := r.given()
		err := request()
		r.change(func() {
			if err != nil {
				r.ended = true
				return
			}
			r.taken, r.silent = given, false
		})
		if err != nil {
			return
		}
	}
}

func (r *receipts) change(do func()) {
	r.gate.Lock()
	defer r.gate.Unlock()
	do()
	close(r.news)
	r.news = make(chan struct{})
}

// await says whether the client has taken everything up to that answer, and waits a while for
// it to say so.
func (r *receipts) await(number int64) bool {
	t := time.NewTimer(patience)
	defer t.Stop()
	for first := true; ; first = false {
		r.gate.Lock()
		taken, hopeless, news := r.taken >= number, r.ended || r.silent, r.news
		r.gate.Unlock()
		if taken || hopeless {
			return taken
		}
		if first {
			r.ask()
		}
		select {
		case <-news:
		case <-t.C:
			r.change(func() { r.silent = true })
		}
	}
}

// stop ends run once its last request has returned.
func (r *receipts) stop() {
	r.gate.Lock()
	defer r.gate.Unlock()
	r.stopped = true
	close(r.asked)
}
