# Drives cronofy, Cronofy's client for Ruby (`gem install cronofy`), as its README uses it. The client itself takes
# its base URL from CRONOFY_API_URL, which the environment names.
#
# Run it by `cronofy-conformance certify -- ruby driver_cronofy.rb`.
require 'json'
require 'cronofy'

class Adapter
  METHODS = %w[start upsert_event read_events delete_event list_calendars stop].freeze

  def start(params)
    @client = Cronofy::Client.new(access_token: params['access_token'])
    { client: 'cronofy', version: Cronofy::VERSION, language: 'ruby' }
  end

  def upsert_event(params)
    @client.upsert_event(params['calendar_id'], params['event'].transform_keys(&:to_sym))
    {}
  end

  def read_events(params)
    options = params['params'].transform_keys(&:to_sym)
    { events: @client.read_events(calendar_ids: params['calendar_ids'], **options).map(&:to_hash) }
  end

  def delete_event(params)
    @client.delete_event(params['calendar_id'], params['event_id'])
    {}
  end

  def list_calendars(_params)
    { calendars: @client.list_calendars.map(&:to_hash) }
  end

  def stop(_params)
    {}
  end

  def answer(method, params)
    return { error: { code: -32601, message: "cronofy has no #{method}" } } unless METHODS.include?(method)

    { result: public_send(method, params) }
  rescue Cronofy::APIError => error
    { error: { code: -32000, message: error.message.to_s, data: reported(error) } }
  rescue StandardError => error
    { error: { code: -32000, message: "#{error.class}: #{error.message}" } }
  end

  def reported(error)
    errors = error.is_a?(Cronofy::InvalidRequestError) ? { errors: error.errors } : {}
    { status: error.response.status, **errors }
  end
end

adapter = Adapter.new
$stdin.each_line do |line|
  request = JSON.parse(line)
  answer = adapter.answer(request['method'], request['params'])
  puts({ jsonrpc: '2.0', id: request['id'], **answer }.to_json)
  $stdout.flush
  break if request['method'] == 'stop'
end
