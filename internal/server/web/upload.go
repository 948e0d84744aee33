package web

import (
	"errors"
	"io"
	"net/http"
	"time"
)

// How long a client may take to send a file: so much from one piece to the next, and so much
// in all.
const (
	uploadPause = 30 * time.Second
	uploadTime  = 20 * time.Minute
)

// errSlow says that an upload took too long in all.
var errSlow = errors.New("the upload took too long")

// Patiently returns the body of a request, which the server would otherwise want to have
// within a short time: a file may take longer, as long as something comes.
func Patiently(w http.ResponseWriter, r *http.Request) io.Reader {
	return &patientReader{body: r.Body, control: http.NewResponseController(w), until: time.Now().Add(uploadTime)}
}

type patientReader struct {
	body    io.Reader
	control *http.ResponseController
	until   time.Time
}

func (p *patientReader) Read(b []byte) (int, error) {
	now := time.Now()
	if now.After(p.until) {
		return 0, errSlow
	}
	// Where they are not supported: without.
	_ = p.control.SetReadDeadline(now.Add(uploadPause))
	_ = p.control.SetWriteDeadline(now.Add(uploadPause + patient)) // of the answer, which comes after the last piece
	return p.body.Read(b)
}
