package main

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"strconv"
	"time"
)

// client is one kept connection. It does as little as a client can, so that the processor
// is the server's.
type client struct {
	conn net.Conn
	in   *bufio.Reader
	body []byte
}

func dial(addr string) (*client, error) {
	conn, err := net.DialTimeout("tcp", addr, 5*time.Second)
	if err != nil {
		return nil, err
	}
	return &client{conn: conn, in: bufio.NewReaderSize(conn, 32<<10)}, nil
}

func (c *client) close() { _ = c.conn.Close() }

// get writes a GET request; token may be empty.
func get(path, token string) []byte {
	r := "GET " + path + " HTTP/1.1\r\nHost: bench\r\n"
	if token != "" {
		r += "X-API-LOGIN-TOKEN: " + token + "\r\n"
	}
	return []byte(r + "\r\n")
}

// post appends a POST request with JSON to b.
func post(b []byte, path, header string, body []byte) []byte {
	b = append(b, "POST "...)
	b = append(b, path...)
	b = append(b, " HTTP/1.1\r\nHost: bench\r\nContent-Type: application/json\r\n"...)
	b = append(b, header...)
	b = append(b, "Content-Length: "...)
	b = strconv.AppendInt(b, int64(len(body)), 10)
	b = append(b, "\r\n\r\n"...)
	return append(b, body...)
}

// do sends a request and reads the answer, whose body is valid until the next call.
func (c *client) do(request []byte) (status int, body []byte, err error) {
	status, length, err := c.head(request)
	if err != nil {
		return 0, nil, err
	}
	if cap(c.body) < length {
		c.body = make([]byte, length)
	}
	c.body = c.body[:length]
	_, err = io.ReadFull(c.in, c.body)
	return status, c.body, err
}

// drain is do for a body that nobody looks at; it returns its size.
func (c *client) drain(request []byte) (status, size int, err error) {
	status, length, err := c.head(request)
	if err != nil {
		return 0, 0, err
	}
	n, err := c.in.Discard(length)
	return status, n, err
}

func (c *client) head(request []byte) (status, length int, err error) {
	if err := c.conn.SetDeadline(time.Now().Add(30 * time.Second)); err != nil {
		return 0, 0, err
	}
	if _, err := c.conn.Write(request); err != nil {
		return 0, 0, err
	}
	return readHead(c.in)
}

var contentLength = []byte("content-length:")

// readHead reads a first line and headers. The number in the first line is the status of
// an answer, and nothing in a request.
func readHead(in *bufio.Reader) (number, length int, err error) {
	line, err := in.ReadSlice('\n')
	if err != nil {
		return 0, 0, err
	}
	if len(line) >= 12 {
		number, _ = strconv.Atoi(string(line[9:12]))
	}
	length = -1
	for {
		line, err := in.ReadSlice('\n')
		if err != nil {
			return 0, 0, err
		}
		line = bytes.TrimRight(line, "\r\n")
		switch {
		case len(line) == 0 && length < 0:
			return 0, 0, errors.New("no Content-Length")
		case len(line) == 0:
			return number, length, nil
		case len(line) > len(contentLength) && bytes.EqualFold(line[:len(contentLength)], contentLength):
			if length, err = strconv.Atoi(string(bytes.TrimSpace(line[len(contentLength):]))); err != nil {
				return 0, 0, err
			}
		}
	}
}

// login returns a token of the company.
func login(addr string) (string, error) {
	c, err := dial(addr)
	if err != nil {
		return "", err
	}
	defer c.close()
	status, body, err := c.do(post(nil, "/api/v1/"+companyID+"/login", "", []byte(`{"apiKey":"`+apiKey+`"}`)))
	if err != nil {
		return "", err
	}
	if status != 200 {
		return "", fmt.Errorf("logging in: %d", status)
	}
	var answer struct {
		AuthToken string `json:"authToken"`
	}
	return answer.AuthToken, json.Unmarshal(body, &answer)
}

// cutHeader splits a line of a head; the name comes in lower case.
func cutHeader(line []byte) (name, value string, ok bool) {
	before, after, ok := bytes.Cut(line, []byte(":"))
	return string(bytes.ToLower(before)), string(bytes.TrimSpace(after)), ok
}
