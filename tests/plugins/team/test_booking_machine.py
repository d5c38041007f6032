"""Hypothesis writes and reads events in any order; no rule may fail."""

from booking import TOKEN, make_app

from conformance import ConformanceMachine

TestBooking = ConformanceMachine.of(make_app, {"default": TOKEN}).TestCase
